"""Content keys: derived from seeds, or generated.

- `seeds`: key seeds, and the algorithms that make keys and IVs of them
- `generation`: fresh keys, key IDs, IVs and seeds
"""
