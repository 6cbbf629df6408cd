"""The endpoints by what they are about; `control/api/table.py` puts them together."""
