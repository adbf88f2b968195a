"""One invalid sample for each rule that a document can break: a small valid document, spoiled in one place."""

from samples.faulty import delivery, keys, rules, structure, systems
from samples.faulty.entries import samples

__all__ = ["delivery", "keys", "rules", "samples", "structure", "systems"]
