"""Names for what the generator invents: communities, roads and houses."""

from collections.abc import Sequence

import numpy as np

DIGITS = "零一二三四五六七八九"
SYLLABLES = (
    ("福", "Fu"), ("华", "Hua"), ("景", "Jing"), ("田", "Tian"), ("彩", "Cai"), ("梅", "Mei"),
    ("莲", "Lian"), ("香", "Xiang"), ("翠", "Cui"), ("海", "Hai"), ("滨", "Bin"), ("新", "Xin"),
    ("洲", "Zhou"), ("民", "Min"), ("安", "An"), ("宝", "Bao"), ("龙", "Long"), ("凤", "Feng"),
    ("康", "Kang"), ("乐", "Le"), ("和", "He"), ("平", "Ping"), ("兴", "Xing"), ("业", "Ye"),
    ("文", "Wen"), ("锦", "Jin"), ("春", "Chun"), ("桂", "Gui"), ("荔", "Li"), ("湖", "Hu"),
    ("泰", "Tai"), ("然", "Ran"), ("益", "Yi"), ("中", "Zhong"), ("创", "Chuang"), ("科", "Ke"),
    ("学", "Xue"), ("松", "Song"), ("竹", "Zhu"), ("云", "Yun"), ("山", "Shan"), ("桃", "Tao"),
)  # fmt: skip
ROAD_ENDINGS = {
    "主干路": (("大道", "Avenue"), ("路", "Road")),
    "次干路": (("路", "Road"),),
    "支路": (("路", "Road"), ("街", "Street"), ("二路", "2nd Road"), ("三街", "3rd Street")),
}
STREET_ENDING = "街道"


def chinese_number(number: int) -> str:
    """Write 1 to 999 in Chinese.

    Examples
    --------
    >>> [chinese_number(n) for n in (1, 10, 14, 20, 105, 110, 316)]
    ['一', '十', '十四', '二十', '一百零五', '一百一十', '三百一十六']
    """
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    head = f"{DIGITS[hundreds]}百" if hundreds else ""
    if tens == 0:
        return head + ("零" if head and ones else "") + (DIGITS[ones] if ones else "")
    ten = "十" if tens == 1 and not head else f"{DIGITS[tens]}十"
    return head + ten + (DIGITS[ones] if ones else "")


def community_name(street_zh: str, street_en: str, ordinal: int) -> tuple[str, str]:
    """The Chinese and English name of a street's community, counted from 1.

    Examples
    --------
    >>> community_name("桂园街道", "Guiyuan Subdistrict", 3)
    ('桂园第三社区', 'Guiyuan Community No. 3')
    """
    stem = street_zh.removesuffix(STREET_ENDING)
    english = street_en.removesuffix(" Subdistrict")
    return f"{stem}第{chinese_number(ordinal)}社区", f"{english} Community No. {ordinal}"


def road_names(classes: Sequence[str], random: np.random.Generator) -> tuple[list[str], list[str]]:
    """One Chinese and one English name for each road, by its class."""
    zh, en = [], []
    picks = random.integers(0, len(SYLLABLES), (len(classes), 2))
    ends = random.random(len(classes))
    for grade, (first, second), end in zip(classes, picks, ends, strict=True):
        one, two = SYLLABLES[first], SYLLABLES[second if second != first else first - 1]
        endings = ROAD_ENDINGS[grade]
        tail = endings[int(end * len(endings))]
        zh.append(one[0] + two[0] + tail[0])
        en.append(f"{one[1]}{two[1].lower()} {tail[1]}")
    return zh, en


def house_name(first: int, second: int, suffix: str) -> str:
    """The name of a house or estate, such as 福华大厦."""
    return SYLLABLES[first][0] + SYLLABLES[second][0] + suffix
