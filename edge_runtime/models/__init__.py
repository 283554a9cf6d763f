"""The reader's model, as `make models` makes it: files that `edge_runtime.encoder` verifies before it uses them."""
