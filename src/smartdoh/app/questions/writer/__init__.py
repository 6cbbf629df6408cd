"""The process that writes what was asked, to the query log and wherever else it goes, so that no answer waits for it.

`python -m smartdoh.app.questions.writer PLAN` is started by the proxy and ends with it.
"""
