"""Answers from the lake: SQL over one release, views for people, named questions, the report.

Nothing here starts an engine or changes a table.
"""
