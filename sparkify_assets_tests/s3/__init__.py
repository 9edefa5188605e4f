"""S3-compatible servers for the tests, and a proxy that counts requests and injects faults."""
