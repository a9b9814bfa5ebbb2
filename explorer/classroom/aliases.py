"""Names for students who give none: an adjective and an animal, such as "Blue heron"."""

from __future__ import annotations

from collections.abc import Collection
from random import Random

ADJECTIVES = (
    "Amber", "Autumn", "Blue", "Bold", "Brave", "Bright", "Bronze", "Calm", "Cheerful", "Clever", "Copper", "Coral", "Crimson", "Curious", "Daring", "Dotted",
    "Early", "Emerald", "Gentle", "Golden", "Green", "Happy", "Honest", "Indigo", "Jade", "Jolly", "Kind", "Lively", "Lucky", "Marble", "Merry", "Mighty",
    "Misty", "Northern", "Olive", "Orange", "Patient", "Pearl", "Polite", "Purple", "Quick", "Quiet", "Rapid", "Royal", "Ruby", "Scarlet", "Silver", "Snowy",
    "Southern", "Speedy", "Spotted", "Spring", "Steady", "Striped", "Summer", "Sunny", "Swift", "Turquoise", "Violet", "Warm", "Western", "Winter", "Wise", "Yellow",
)  # fmt: skip
ANIMALS = (
    "albatross", "alpaca", "antelope", "badger", "beaver", "bison", "buzzard", "camel", "cheetah", "crane", "curlew", "deer", "dolphin", "eagle", "elk", "falcon",
    "ferret", "finch", "fox", "gazelle", "giraffe", "gecko", "hare", "hawk", "hedgehog", "heron", "ibis", "jaguar", "kestrel", "kingfisher", "koala", "lark",
    "leopard", "lion", "lynx", "magpie", "marmot", "marten", "moose", "narwhal", "newt", "ocelot", "osprey", "otter", "owl", "panda", "panther", "pelican",
    "penguin", "puffin", "puma", "raven", "robin", "salmon", "seal", "sparrow", "squirrel", "starling", "stork", "swallow", "swan", "tiger", "turtle", "zebra",
)  # fmt: skip


def free_alias(taken: Collection[str], random: Random) -> str:
    """An alias that nobody has; with a number where all 4,096 are taken."""
    used = set(taken)
    free = [f"{adjective} {animal}" for adjective in ADJECTIVES for animal in ANIMALS if f"{adjective} {animal}" not in used]
    if free:
        return random.choice(free)
    base, number = f"{random.choice(ADJECTIVES)} {random.choice(ANIMALS)}", 2
    while f"{base} {number}" in used:
        number += 1
    return f"{base} {number}"
