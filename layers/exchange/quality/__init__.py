"""The self-check of the layers: what is found, and how findings are kept until they are gone."""
