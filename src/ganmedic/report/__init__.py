"""Renderers: each turns the same findings into one form. None of them knows how a finding was made."""
