"""The examples that the reader learns from: written ones, lists that fill their slots, and other people's data."""

__all__: list[str] = []
