"""Tests of the attribution engine."""
