"""What takes long or much memory, measured."""
