"""The assets, thin: each names what its table is made from and which transform makes it.

`landing` has the external assets, `raw` takes files in, `tables` are all others.
"""
