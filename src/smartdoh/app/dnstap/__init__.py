"""The dnstap output: what was asked, as messages of dnstap.info, to a collector on a Unix socket."""
