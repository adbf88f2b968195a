"""The makers of the CPIX samples; `scripts/make_cpix_samples.py` runs them."""
