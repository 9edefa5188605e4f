"""Answers from the lake, and the lake in the hands of other tools."""
