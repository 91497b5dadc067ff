"""
Emoticons, with the three ways to name them (protocol.md, appendix A).

A L{Face} holds the number on the wire; the I{index} is the number of the
picture, which pages and group histories show; users write C{[微笑]}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from txwebqq.model import Content, Face, Mention, Segment, Text

_FACES = (
    # The number on the wire, the Chinese name, the English name; by index.
    (14, "微笑", "Smile"),
    (1, "撇嘴", "Grimace"),
    (2, "色", "Drool"),
    (3, "发呆", "Scowl"),
    (4, "得意", "CoolGuy"),
    (5, "流泪", "Sob"),
    (6, "害羞", "Shy"),
    (7, "闭嘴", "Silent"),
    (8, "睡", "Sleep"),
    (9, "大哭", "Cry"),
    (10, "尴尬", "Awkward"),
    (11, "发怒", "Angry"),
    (12, "调皮", "Tongue"),
    (13, "呲牙", "Grin"),
    (0, "惊讶", "Surprise"),
    (50, "难过", "Frown"),
    (51, "酷", "Ruthless"),
    (96, "冷汗", "Blush"),
    (53, "抓狂", "Scream"),
    (54, "吐", "Puke"),
    (73, "偷笑", "Chuckle"),
    (74, "可爱", "Joyful"),
    (75, "白眼", "Slight"),
    (76, "傲慢", "Smug"),
    (77, "饥饿", "Hungry"),
    (78, "困", "Drowsy"),
    (55, "惊恐", "Panic"),
    (56, "流汗", "Sweat"),
    (57, "憨笑", "Laugh"),
    (58, "大兵", "Commando"),
    (79, "奋斗", "Determined"),
    (80, "咒骂", "Scold"),
    (81, "疑问", "Shocked"),
    (82, "嘘", "Shhh"),
    (83, "晕", "Dizzy"),
    (84, "折磨", "Tormented"),
    (85, "衰", "Toasted"),
    (86, "骷髅", "Skull"),
    (87, "敲打", "Hammer"),
    (88, "再见", "Wave"),
    (97, "擦汗", "Speechless"),
    (98, "抠鼻", "NosePick"),
    (99, "鼓掌", "Clap"),
    (100, "糗大了", "Shame"),
    (101, "坏笑", "Trick"),
    (102, "左哼哼", "Bah! L"),
    (103, "右哼哼", "Bah! R"),
    (104, "哈欠", "Yawn"),
    (105, "鄙视", "Pooh-pooh"),
    (106, "委屈", "Shrunken"),
    (107, "快哭了", "TearingUp"),
    (108, "阴险", "Sly"),
    (109, "亲亲", "Kiss"),
    (110, "吓", "Wrath"),
    (111, "可怜", "Whimper"),
    (112, "菜刀", "Cleaver"),
    (32, "西瓜", "Watermelon"),
    (113, "啤酒", "Beer"),
    (114, "篮球", "Basketball"),
    (115, "乒乓", "PingPong"),
    (63, "咖啡", "Coffee"),
    (64, "饭", "Rice"),
    (59, "猪头", "Pig"),
    (33, "玫瑰", "Rose"),
    (34, "凋谢", "Wilt"),
    (116, "示爱", "Lips"),
    (36, "爱心", "Heart"),
    (37, "心碎", "BrokenHeart"),
    (38, "蛋糕", "Cake"),
    (91, "闪电", "Lightning"),
    (92, "炸弹", "Bomb"),
    (93, "刀", "Dagger"),
    (29, "足球", "Soccer"),
    (117, "瓢虫", "Ladybug"),
    (72, "便便", "Poop"),
    (45, "月亮", "Moon"),
    (42, "太阳", "Sun"),
    (39, "礼物", "Gift"),
    (62, "拥抱", "Hug"),
    (46, "强", "Strong"),
    (47, "弱", "Weak"),
    (71, "握手", "Shake"),
    (95, "胜利", "Peace"),
    (118, "抱拳", "Fight"),
    (119, "勾引", "Beckon"),
    (120, "拳头", "Fist"),
    (121, "差劲", "Pinky"),
    (122, "爱你", "RockOn"),
    (123, "NO", "NO"),
    (124, "OK", "OK"),
    (27, "爱情", "InLove"),
    (21, "飞吻", "Blowkiss"),
    (23, "跳跳", "Waddle"),
    (25, "发抖", "Tremble"),
    (26, "怄火", "Aaagh"),
    (125, "转圈", "Twirl"),
    (126, "磕头", "Kotow"),
    (127, "回头", "Dramatic"),
    (128, "跳绳", "JumpRope"),
    (129, "挥手", "Surrender"),
    (130, "激动", "Exciting"),
    (131, "街舞", "HipHot"),
    (132, "献吻", "ShowLove"),
    (133, "左太极", "Tai Chi L"),
    (134, "右太极", "Tai Chi R"),
    (52, "", ""),
    (24, "", ""),
    (22, "", ""),
    (20, "", ""),
    (60, "", ""),
    (61, "", ""),
    (89, "", ""),
    (90, "", ""),
    (31, "", ""),
    (94, "", ""),
    (65, "", ""),
    (35, "", ""),
    (66, "", ""),
    (67, "", ""),
    (68, "", ""),
    (69, "", ""),
    (70, "", ""),
    (15, "", ""),
    (16, "", ""),
    (17, "", ""),
    (18, "", ""),
    (19, "", ""),
    (28, "", ""),
    (30, "", ""),
    (40, "", ""),
    (41, "", ""),
    (43, "", ""),
    (44, "", ""),
    (48, "", ""),
    (49, "", ""),
)

_LATER = {136: "双喜", 137: "鞭炮", 138: "灯笼", 139: "发财", 140: "K歌"}
"""Faces of later services, without an index."""

_SYNONYMS = {"含羞": 6, "汗": 96}
"""Names that other clients show."""

_INDEXES = {wire: index for index, (wire, _, _) in enumerate(_FACES)}
_NAMES = {wire: name for wire, name, _ in _FACES if name} | _LATER
_ENGLISH = {wire: english for wire, _, english in _FACES if english}
_BY_NAME = (
    {name: wire for wire, name in _NAMES.items()}
    | _SYNONYMS
    | {english.lower(): wire for wire, english in _ENGLISH.items()}
)

_NUMBERED = re.compile(r"face([0-9]{1,9})")
_BRACKETS = re.compile(r"\[([^\[\]\s][^\[\]]{0,15})\]")


def indexOf(face: int) -> int | None:
    """
    Return the index of a face, L{None} if no picture is known.
    """
    return _INDEXES.get(face)


def faceAt(index: int) -> Face | None:
    """
    Return the face with an index, L{None} if there is none.
    """
    return Face(_FACES[index][0]) if 0 <= index < len(_FACES) else None


def nameOf(face: int) -> str:
    """
    Return the Chinese name of a face, C{faceN} for a face without one.
    L{faceNamed} reads both.
    """
    return _NAMES.get(face) or f"face{face}"


def englishNameOf(face: int) -> str:
    """
    Return the English name of a face, C{faceN} for a face without one.
    """
    return _ENGLISH.get(face) or f"face{face}"


def faceNamed(name: str) -> Face | None:
    """
    Return the face with a Chinese or English name, L{None} if there is none.
    """
    wire = _BY_NAME.get(name, _BY_NAME.get(name.lower()))
    if wire is not None:
        return Face(wire)
    numbered = _NUMBERED.fullmatch(name)
    return None if numbered is None else Face(int(numbered[1]))


def withFacesNamed(content: Iterable[Segment]) -> str:
    """
    Return the text of a content, with names such as C{[微笑]} for faces, and C{@name}
    for mentions. Other segments are left out.
    """
    parts = []
    for segment in content:
        match segment:
            case Text() | Mention():
                parts.append(segment.text)
            case Face(number):
                parts.append(f"[{nameOf(number)}]")
    return "".join(parts)


def withFaces(text: str) -> Content:
    """
    Make a content from a text, with faces for names in brackets. Other text in
    brackets stays text.
    """
    segments: list[Segment] = []
    end = 0
    for found in _BRACKETS.finditer(text):
        face = faceNamed(found[1])
        if face is None:
            continue
        if found.start() > end:
            segments.append(Text(text[end : found.start()]))
        segments.append(face)
        end = found.end()
    if end < len(text):
        segments.append(Text(text[end:]))
    return tuple(segments)
