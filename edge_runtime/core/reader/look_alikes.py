"""Letters of other scripts that people take for Latin ones, as data.

Promises: one Latin letter for each, so that places stay. Does not: list what NFKC folds (fullwidth letters, letters
of formulas), or Latin letters that languages use. Source: Unicode Technical Standard 39, what common fonts draw alike.
"""

from __future__ import annotations

__all__ = ["LOOK_ALIKES"]

_PAIRS = """
аa еe оo рp сc уy хx іi јj ѕs һh ԁd кk мm тt вb нh гr ԛq ԝw ѵv ӏl єe пn зe
АA ВB СC ЕE НH ІI ЈJ КK МM ОO РP ЅS ТT УY ХX ԚQ ԜW ҮY ӀI ГT
αa εe ιi κk νv οo ρp τt υu χx ωw γy ηn σo βb
ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ϹC
օo սu հh ոn ցg զq ԼL ՏS ՍU
ɩi ɡg ɑa ʟl ɪi ᴋk ᴀa ʙb ᴄc ᴅd ᴇe ɢg ʜh ᴊj ᴍm ɴn ᴏo ᴘp ʀr ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ꜱs
ꓮA ꓐB ꓚC ꓓD ꓰE ꓝF ꓖG ꓧH ꓲI ꓙJ ꓗK ꓡL ꓟM ꓠN ꓳO ꓑP ꓣR ꓢS ꓔT ꓴU ꓦV ꓪW ꓫX ꓬY ꓜZ
ᎪA ᏴB ᏟC ᎠD ᎬE ᏀG ᎻH ᎥI ᎫJ ᏦK ᏞL ᎷM ᏢP ᏒR ᏚS ᎢT ᏙV ᎳW ᏃZ
"""
LOOK_ALIKES = {pair[0]: pair[1] for pair in _PAIRS.split()}
"""Latin letters by the letters that look like them."""
