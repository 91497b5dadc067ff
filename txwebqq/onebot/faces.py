"""
Emoticons of today's QQ: their numbers, and which emoticon of WebQQ is the same.

Both have names. The numbers differ: 玫瑰 is 63 today and was 33 (protocol.md,
appendix A).
"""

from __future__ import annotations

from txwebqq.faces import faceNamed
from txwebqq.faces import nameOf as webqqNameOf
from txwebqq.model import Face, Text

# The number and the name of each, as of NapCatQQ's face_config.json.
_TABLE = """
0:惊讶 1:撇嘴 2:色 3:发呆 4:得意 5:流泪 6:害羞 7:闭嘴 8:睡 9:大哭 10:尴尬 11:发怒
12:调皮 13:呲牙 14:微笑 15:难过 16:酷 18:抓狂 19:吐 20:偷笑 21:可爱 22:白眼 23:傲慢
24:饥饿 25:困 26:惊恐 27:流汗 28:憨笑 29:悠闲 30:奋斗 31:咒骂 32:疑问 33:嘘 34:晕
35:折磨 36:衰 37:骷髅 38:敲打 39:再见 41:发抖 42:爱情 43:跳跳 46:猪头 49:拥抱
53:蛋糕 55:炸弹 56:刀 59:便便 60:咖啡 63:玫瑰 64:凋谢 66:爱心 67:心碎 74:太阳
75:月亮 76:赞 77:踩 78:握手 79:胜利 85:飞吻 86:怄火 89:西瓜 96:冷汗 97:擦汗 98:抠鼻
99:鼓掌 100:糗大了 101:坏笑 102:左哼哼 103:右哼哼 104:哈欠 105:鄙视 106:委屈
107:快哭了 108:阴险 109:左亲亲 110:吓 111:可怜 112:菜刀 114:篮球 116:示爱 118:抱拳
119:勾引 120:拳头 121:差劲 122:爱你 123:NO 124:OK 125:转圈 129:挥手 137:鞭炮
144:喝彩 146:爆筋 147:棒棒糖 148:喝奶 169:手枪 171:茶 172:眨眼睛 173:泪奔 174:无奈
175:卖萌 176:小纠结 177:喷血 178:斜眼笑 179:doge 180:惊喜 181:戳一戳 182:笑哭
183:我最美 185:羊驼 187:幽灵 193:大笑 194:不开心 198:呃 200:求求 201:点赞 202:无聊
203:托脸 204:吃 206:害怕 210:飙泪 211:我不看 212:托腮 214:啵啵 215:糊脸 216:拍头
217:扯一扯 218:舔一舔 219:蹭一蹭 221:顶呱呱 222:抱抱 223:暴击 224:开枪 225:撩一撩
226:拍桌 227:拍手 229:干杯 230:嘲讽 231:哼 232:佛系 233:掐一掐 235:颤抖 237:偷看
238:扇脸 239:原谅 240:喷脸 241:生日快乐 243:甩头 244:扔狗 262:脑阔疼 263:沧桑
264:捂脸 265:辣眼睛 266:哦哟 267:头秃 268:问号脸 269:暗中观察 270:emm 271:吃瓜
272:呵呵哒 273:我酸了 277:汪汪 278:汗 281:无眼笑 282:敬礼 283:狂笑 284:面无表情
285:摸鱼 286:魔鬼笑 287:哦 288:请 289:睁眼 290:敲开心 292:让我康康 293:摸锦鲤
294:期待 295:拿到红包 297:拜谢 298:元宝 299:牛啊 300:胖三斤 301:好闪 302:左拜年
303:右拜年 305:右亲亲 306:牛气冲天 307:喵喵 311:打call 312:变形 314:仔细分析
317:菜汪 318:崇拜 319:比心 320:庆祝 322:拒绝 323:嫌弃 324:吃糖 325:惊吓 326:生气
332:举牌牌 333:烟花 334:虎虎生威 336:豹富 337:花朵脸 338:我想开了 339:舔屏
341:打招呼 342:酸Q 343:我方了 344:大怨种 345:红包多多 346:你真棒棒 347:大展宏兔
348:福萝卜 349:坚强 350:贴贴 351:敲敲 352:咦 353:拜托 354:尊嘟假嘟 355:耶 356:666
357:裂开 358:骰子 359:包剪锤 360:亲亲 361:狗狗笑哭 362:好兄弟 363:狗狗可怜
364:超级赞 365:狗狗生气 366:芒狗 367:狗狗疑问 368:奥特笑哭 369:彩虹 370:祝贺
371:冒泡 372:气呼呼 373:忙 374:波波流泪 375:超级鼓掌 376:跺脚 377:嗨 378:企鹅笑哭
379:企鹅流泪 380:真棒 381:路过 382:emo 383:企鹅爱心 384:晚安 385:太气了 386:呜呜呜
387:太好笑 388:太头疼 389:太赞了 390:太头秃 391:太沧桑 392:龙年快乐 393:新年中龙
394:新年大龙 395:略略略 396:狼狗 397:抛媚眼 398:超级ok 399:tui 400:快乐
401:超级转圈 402:别说话 403:出去玩 404:闪亮登场 405:好运来 406:姐是女王 407:我听听
408:臭美 409:送你花花 410:么么哒 411:一起嗨 412:开心 413:摇起来 415:划龙舟
416:中龙舟 417:大龙舟 419:火车 420:中火车 421:大火车 422:粽于等到你 423:复兴号
424:续标识 425:求放过 426:玩火 427:偷感 428:收到 429:蛇年快乐 430:蛇身 431:蛇尾
432:灵蛇献瑞 450:撇嘴 451:色 452:微笑 453:发呆 454:得意 455:害羞 456:闭嘴 457:睡
458:我吗 459:优雅 460:硬撑 461:宕机 462:无语 463:新年快乐 464:马上到 465:拆红包
466:羞羞哒 467:摇花手 468:失眠 469:坚毅 470:马到成功 472:心动 474:给你一拳 475:干饭
476:不是吧 477:你懂的 478:对的对的 479:不对不对 480:散味儿 481:学习 482:热化了
483:略 484:比爱心
"""

_NAMES = {
    int(number): name
    for number, _, name in (entry.partition(":") for entry in _TABLE.split())
}
# The first of several numbers with one name is the one that clients send.
_NUMBERS = {name: number for number, name in reversed(_NAMES.items())}


def nameOf(number: int) -> str:
    """
    Return the Chinese name of an emoticon of today's QQ, C{faceN} for one without.
    """
    return _NAMES.get(number) or f"face{number}"


def webqqFace(number: int) -> Face | None:
    """
    Return the emoticon of WebQQ that has the name of one of today's QQ, L{None} if
    there is none.
    """
    name = _NAMES.get(number)
    face = None if name is None else faceNamed(name)
    # Not by a synonym, which would come back as another.
    return face if face is not None and webqqNameOf(face.id) == name else None


def numberOf(face: Face) -> int | None:
    """
    Return the number in today's QQ of an emoticon of WebQQ, L{None} if there is none.
    """
    return _NUMBERS.get(webqqNameOf(face.id))


MAX_DIGITS = 3
"""Digits of the number of an emoticon; what is longer is a code point."""


def emojiId(face: Face | Text) -> str:
    """
    Return the id of a reaction, as of NapCatQQ: the number of an emoticon of today's
    QQ, or the code point of a Unicode emoji. Another text is its own id.
    """
    if isinstance(face, Face):
        face = Text(f"[{webqqNameOf(face.id)}]")
    text = face.text
    named = _NUMBERS.get(text[1:-1]) if text[:1] + text[-1:] == "[]" else None
    if named is not None:
        return str(named)
    # Some emoji are followed by a selector of their presentation.
    bare = text.removesuffix("\ufe0f")
    if len(bare) == 1 and len(str(ord(bare))) > MAX_DIGITS:
        return str(ord(bare))
    return text


def emojiOf(emojiId: str) -> Face | Text | None:
    """
    Return the reaction with an id, L{None} if there is none. An emoticon that WebQQ
    lacks is its name in brackets.
    """
    if not (emojiId.isascii() and emojiId.isdigit()):
        return Text(emojiId) if emojiId else None
    if len(emojiId) <= MAX_DIGITS:
        number = int(emojiId)
        return webqqFace(number) or Text(f"[{nameOf(number)}]")
    try:
        emoji = chr(int(emojiId))
    except (ValueError, OverflowError):
        return None
    return Text(emoji) if emoji.isprintable() else None
