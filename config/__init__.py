"""The site: settings, addresses, refusals turned into answers."""
