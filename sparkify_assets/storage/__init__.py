"""Folders and buckets: where files are, who we are there, and what each request costs.

`location` says where; `access` turns the AWS settings into what each library wants and is the only
module that builds a client; `objects` reads and writes whole objects, the same in a folder and in
a bucket; `failures` turns what goes wrong into a message with the way out.
"""
