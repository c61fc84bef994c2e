import pytest

from spatial.formats import WrongEncoding
from spatial.formats.encodings import codec_named, common_han_share, decide

CHINESE = "深圳市福田区莲花街道"


@pytest.mark.parametrize(
    ("texts", "facts", "encoding", "sure"),
    [
        ([], {}, "utf-8", True),
        ([CHINESE.encode()], {}, "utf-8", True),
        ([CHINESE.encode("gbk")], {}, "gb18030", True),
        ([CHINESE.encode("gbk")], {"ldid": 0x4D}, "gb18030", True),
        ([CHINESE.encode("gbk")], {"declared": "UTF-8"}, "gb18030", False),
        ([CHINESE.encode("gbk")], {"declared": "GBK"}, "gb18030", True),
        ([CHINESE.encode("gbk")], {"declared": "ISO-8859-1"}, "gb18030", False),
        ([CHINESE.encode("gbk")], {"declared": "no such"}, "gb18030", True),
        ([CHINESE.encode()], {"declared": "UTF-8"}, "utf-8", True),
        (["㐀𠮷〇囧镕".encode("gb18030")], {"ldid": 0x57}, "gb18030", False),
        (["㐀𠮷〇囧镕".encode("gb18030")], {"ldid": 0x4D}, "gb18030", True),
        (["Café Münster Straße".encode("latin-1")], {}, None, False),
        (["香港九龍尖沙咀彌敦道".encode("big5")], {}, "gb18030", False),
        (["Ã©tÃ©".encode()], {}, "utf-8", False),
        (["深\ufffd市".encode()], {}, "utf-8", False),
        ([CHINESE.encode()[:-1]], {"declared": "UTF-8"}, None, False),
        ([CHINESE.encode("gbk")], {"explicit": "GBK"}, "gb18030", True),
    ],
)
def test_which_encoding_and_whether_it_is_sure(texts, facts, encoding, sure):
    verdict = decide(texts, **facts)
    assert verdict.sure is sure
    if encoding is not None:
        assert verdict.encoding == encoding
    assert bool(verdict.doubt_zh) is not sure


@pytest.mark.parametrize("choice", ["utf-8", "no-such", ""])
def test_a_choice_that_does_not_fit_is_refused(choice):
    with pytest.raises(WrongEncoding):
        decide([CHINESE.encode("gbk")], explicit=choice)


@pytest.mark.parametrize("text", ["深圳市福田区", "㐀", "𠮷", "〇"])
def test_rare_characters_survive_the_round_trip(text):
    assert text.encode("gb18030").decode(decide([text.encode("gb18030")], explicit="gbk").encoding) == text


def test_common_han():
    assert common_han_share(["深圳（A座）"]) == 1.0
    assert common_han_share(["㐀㐁"]) == 0.0
    assert codec_named("CP936") == codec_named("gb2312") == "gb18030"
