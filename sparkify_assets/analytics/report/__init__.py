"""The monthly listening report: one HTML page a month that needs nothing but a browser.

`figures` and the named questions give the numbers, `charts` the pictures, `page` the page, `write`
keeps it in the lake, and leaves it alone while it is up to date.
"""
