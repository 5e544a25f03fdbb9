"""What is said and given in Douyin's rooms. All of it is made up; any likeness is chance."""

from typing import Final

from simulator.catalogue import Catalogue, Gift

# A nickname is one of the first, perhaps with one of the second behind it.
NAMES: Final = (
    "小橘子", "月亮船", "糖炒栗子", "云朵邮差", "山茶", "慢慢走", "豆沙包", "星河漫步", "青柠", "半夏",
    "阿团", "晚风", "柚子茶", "木头人", "稻草人", "海盐", "荷包蛋", "小满", "白露", "谷雨",
    "雪糕", "北岸", "南瓜车", "听雨", "拾光", "麦芽", "芝麻糊", "蓝莓", "石榴", "松果",
)  # fmt: skip
SUFFIXES: Final = ("同学", "在路上", "不加糖", "爱吃面", "今天早睡", "的猫", "呀", "本人", "没带伞", "2号")
FLOURISHES: Final = ("✨", "🌙", "🍀", "🎧", "🦊", "🐼", "☕", "🌸", "🔥")

CHAT: Final = (
    "主播晚上好 👋",
    "刚来,今天煮的什么?",
    "隔着屏幕都闻到香味了 😂",
    "这首歌叫什么名字?",
    "汤要熬多久啊",
    "第一次来,氛围真好",
    "灯光好温馨 ✨",
    "刀工再来一遍!",
    "昨天照着做,成功了!!",
    "大家晚上好",
    "猫猫抢镜 🐈",
    "音乐可以大一点吗",
    "你那边下雨了吗?",
    "❤️❤️❤️",
    "夜班人报到",
    "看饿了……",
    "还能这样放味噌?",
    "哈哈哈哈茶洒了",
    "一天里最开心的时候",
    "有人在写作业吗",
    "这个蛋!!快看这个蛋!!",
    "等这道菜好久了",
    "碗在哪里买的?",
    "看着好简单,一做就废",
    "秘诀到底是什么?",
    "秘诀是耐心 😌",
    "从成都来打个招呼",
    "哈尔滨的举手 🙋",
    "凌晨两点我饿了",
    "歌单求分享 🎶",
    "不放蒜可以吗?",
    "明天还播吗?",
    "[赞][赞][赞]",
    "[比心]主播辛苦了",
    "加油 [玫瑰]",
)

EMOJIS: Final = ("[比心]", "[鼓掌]", "[大笑]", "[玫瑰]", "[点赞]", "[惊讶]")

SCREEN_CHATS: Final = ("今晚的汤我先干为敬!", "给主播的新锅加油!", "全村最香的一碗面")

NOTICES: Final = (
    "欢迎来到直播间!抖音严禁未成年人直播或打赏,直播间内严禁出现违法违规、低俗色情、吸烟酗酒等内容。",
    "主播正在认真做饭,弹幕稍后再看。",
)

GIFTS: Final = (
    Gift(463, "小心心", 1, "💗", combo=True, weight=46),
    Gift(2002, "玫瑰", 1, "🌹", combo=True, weight=18),
    Gift(3389, "大啤酒", 2, "🍺", combo=True, weight=14),
    Gift(685, "粉丝团灯牌", 1, "🏷️", combo=False, weight=5),
    Gift(3992, "荷包蛋", 9, "🍳", combo=True, weight=9),
    Gift(4021, "纸飞机", 52, "✈️", combo=True, weight=6),
    Gift(5510, "热汤面", 99, "🍜", combo=True, weight=4),
    Gift(5823, "走马灯", 520, "🏮", combo=False, weight=2),
    Gift(6781, "夜行列车", 1200, "🚂", combo=False, weight=1),
)

CATALOGUE: Final = Catalogue(
    chat={"zh": CHAT},
    cheers=("666", "老板大气!", "👏👏👏", "感谢{0} 👑", "太壕了", "😮😮", "谢谢{0}!"),
    shouts=("加微进群,低价好物,仅此今天",),
    gifts=GIFTS,
)

RIVALS: Final = ("晨跑小队", "陶艺慢慢", "单车地图", "午夜面包房")
"""Nicknames of hosts in other rooms."""

PRODUCTS: Final = ("蓝釉拉面碗", "手作围裙", "樱桃木筷子")
