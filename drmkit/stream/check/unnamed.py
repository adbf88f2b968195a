"""Finds the key of segments whose key tags name no key ID: that behind the URI, or one of those that are known."""

from __future__ import annotations

from collections.abc import Sequence

from drmkit.identifiers import KeyId
from drmkit.stream.check.decryption import Decryption, Outcome
from drmkit.stream.check.look import Look, Looked

__all__ = ["try_keys"]

_MOST = 32
_NOBODY = KeyId(bytes(16))
_GET = "--cpix or --key-file has it; with --fetch-keys a key is asked of its server, as players do"


def try_keys(decryption: Decryption, look: Look) -> list[Outcome]:
    """Try keys on segments of a track that name none; where one is right, they have its key ID from then on.

    Args:
        decryption: decrypts, and has the keys.
        look: the track.
    """
    bare = [one for one in look.segments if one.protected and not one.kids and one.path is not None]
    if look.media.encrypted is None or look.init_path is None:
        return []
    tags = dict.fromkeys(one.segment.keys for one in bare)
    return [_try(decryption, look, [one for one in bare if one.segment.keys == which]) for which in tags]


def _try(decryption: Decryption, look: Look, segments: Sequence[Looked]) -> Outcome:
    judge = decryption.judge(look, _NOBODY, segments)
    own = decryption.behind_uri(look, segments)
    if own is not None:
        return decryption.settle(look, judge, own, "the key behind its URI", segments)
    undecided, tried = [], 0
    for kid, key in list(decryption.keys.items())[:_MOST]:
        if not decryption.has_ivs(look, kid, segments):
            continue
        tried += 1
        # Where each key has its own IV, random keys are tried under it again.
        judge = judge if decryption.has_ivs(look, _NOBODY, segments) else decryption.judge(look, kid, segments)
        verdict = judge.judge(key)
        if verdict == "right" or (verdict == "undecided" and decryption.is_source(judge, key, segments)):
            for one in segments:
                one.kids = (kid,)
            return decryption.settle(look, judge, key, f"the key of {kid}", segments)
        undecided += [kid] if verdict == "undecided" else []
    guessed = decryption.guess(look, judge)
    if guessed is not None:
        return guessed
    if decryption.keys and not tried:
        return decryption.without_iv(look, segments)
    if not tried:
        return _not_tried(decryption, look, segments)
    which = f"any of the {tried} keys that were given" if tried > 1 else "the key that was given"
    return decryption.doubtful(look, which, segments, wrong=not undecided)


def _not_tried(decryption: Decryption, look: Look, segments: Sequence[Looked]) -> Outcome:
    words = "the key tags name no key ID, no key was given, and none could be read beside the playlist"
    tags = segments[0].segment.keys
    place = tags[0].place if tags else segments[0].place
    decryption.collector.add("decryption-not-tried", words, track=look.track.name, place=place, hint=_GET)
    return Outcome("not tried", "no key was given")
