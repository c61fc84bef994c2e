"""Pulls: sources that are fetched on a schedule and go the way of every delivery."""
