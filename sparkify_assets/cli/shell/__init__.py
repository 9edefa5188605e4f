"""`sparkify sql`: statements and dot commands, typed or from a file.

What is typed (`terminal`) and what comes from a file or a pipe is cut into pieces (`pieces`) and
done by the same `Shell`.
"""
