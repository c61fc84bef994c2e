"""What may be stored: pure functions, no Django, no database."""
