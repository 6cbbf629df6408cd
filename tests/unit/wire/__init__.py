"""The wire package by itself: tables of messages written octet by octet."""
