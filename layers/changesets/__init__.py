"""Changesets: an overlay of changes that are not on the one map yet, on any of its layers.

workflow says which steps there are; access, who sees a changeset and may take a step; drafting puts changes in;
comparing and settling hold it against the one map; publishing makes it part of it.
"""
