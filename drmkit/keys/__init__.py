"""Content keys: derived from seeds, or generated.

- `seeds`: key seeds, and the algorithms that make keys and IVs of them
- `derivation`: keys and IVs for many key IDs at once
- `seedfile`, `quality`: seeds from private files, and what a seed must have
- `generation`: fresh keys, key IDs, IVs and seeds
"""
