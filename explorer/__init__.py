"""Gradient Attribution Explorer: see why a small network said what it said."""
