"""Tests about the project itself: its layers, its files, its documents, its Makefile, its systemd units."""
