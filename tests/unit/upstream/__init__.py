"""Tests of the package upstream."""
