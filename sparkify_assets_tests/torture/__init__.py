"""Breaking things on purpose, and counting what came of it: `make torture`."""
