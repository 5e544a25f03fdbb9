"""What is said, given and asked in TikTok's rooms. All of it is made up; any likeness is chance."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from simulator.catalogue import Catalogue, Gift

# How often a viewer speaks which language.
LANGUAGES: Final[Mapping[str, int]] = MappingProxyType(
    {"en": 38, "es": 14, "pt": 10, "id": 9, "ar": 7, "zh": 8, "ja": 6, "de": 4, "fr": 4}
)

GIVEN_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": tuple(
            "Maple Juniper Robin Hazel Rowan Piper Sage Wren Olive Clover Basil Marlow Indigo Fern Harbor Skye".split()
        ),
        "es": tuple("Lunita Solecito Brisa Canela Nube Trufa Coral Jazmín Azahar Lucero Mango Arena".split()),
        "pt": tuple("Pipoca Brigadeiro Estrela Maré Caju Girassol Neblina Pitanga Jabuti Amora".split()),
        "id": tuple("Melati Kopi Senja Bintang Pelangi Kelapa Rembulan Kembang Embun Satria".split()),
        "ar": ("قمر", "ياسمين", "نسمة", "غيمة", "زيتونة", "نجمة", "ريحان", "لؤلؤة"),
        "zh": ("小橘子", "月亮船", "糖炒栗子", "云朵", "山茶", "慢慢", "豆沙包", "星河", "青柠", "半夏"),
        "ja": ("さくら餅", "夜更かし", "ねこまる", "あおい空", "たぬき", "ほしぞら", "みかん", "こはる"),
        "de": tuple("Nordlicht Kiesel Waldfee Brise Holunder Mondschein Pfütze Hummel".split()),
        "fr": tuple("Myrtille Nuage Coquelicot Brume Tilleul Praline Lavande Galet".split()),
    }
)

SURNAMES: Final = tuple(
    "Fox Owl Otter Panda Comet Tea Waves Pixel Moss River Cat Moth Noodle Cloud Kite Bear Sparrow Disco Bean".split()
)
FLOURISHES: Final = ("✨", "🌙", "🍀", "🌊", "🎧", "🦊", "🐼", "☕", "🌸", "🔥", "🎨", "🪐")

CHAT: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "en": (
            "hello from Leeds 👋",
            "just got here, what did I miss?",
            "that smells good through the screen 😂",
            "what song is this?",
            "how long do you simmer the broth?",
            "first time here, loving the vibe",
            "the lighting is so cozy tonight ✨",
            "can you show the knife again?",
            "I tried your recipe yesterday and it worked!!",
            "good evening everyone",
            "say hi to the cat 🐈",
            "my plants are listening too",
            "turn the music up a bit please",
            "is it raining there? it sounds nice",
            "❤️❤️❤️",
            "greetings from the night shift",
            "10/10 would eat",
            "wait, you can do that with miso?",
            "no way 😮",
            "haha I spilled my tea",
            "best part of my day",
            "who else is doing homework right now",
            "that chop was so clean",
            "can we get a poll for the next dish?",
            "the egg!! look at the egg!!",
            "I have been waiting for this one",
            "where did you get that bowl?",
            "you make it look easy",
            "what's the secret ingredient?",
            "patience is the secret ingredient 😌",
            "hello from Nairobi 🇰🇪",
            "hello from Toronto 🇨🇦",
            "this chat is so wholesome",
            "I'm hungry and it's 2am",
            "drop the playlist pls 🎶",
            "congrats on the follower goal!",
            "does it work without garlic?",
            "team chopsticks 🥢",
            "same time tomorrow?",
            "brb getting snacks",
        ),
        "es": (
            "hola desde Valencia 👋",
            "¡qué buena pinta!",
            "¿cuánto tiempo lo dejas?",
            "me encanta esta canción",
            "saludos desde Medellín 🇨🇴",
            "buenas noches a todos ✨",
            "acabo de llegar, ¿qué me perdí?",
            "jajaja el gato 😹",
            "¿se puede hacer sin picante?",
            "qué paz da este directo",
            "mañana lo intento en casa",
            "un abrazo grande ❤️",
        ),
        "pt": (
            "oi gente, boa noite 🌙",
            "que cheiro bom imaginário 😂",
            "salve de Recife!",
            "qual é o nome dessa música?",
            "tô com fome agora",
            "lindo demais ✨",
            "primeira vez aqui, adorei",
            "ensina a fazer o molho?",
            "kkkkk o gato roubou a cena",
            "melhor live da semana",
        ),
        "id": (
            "halo dari Bandung 👋",
            "wah enak banget kelihatannya",
            "resepnya dong kak 🙏",
            "baru gabung, lagi masak apa?",
            "suaranya bikin tenang",
            "semangat terus kak ✨",
            "lapar jadinya 😂",
            "lagu apa ini?",
            "mantap 👍",
        ),
        "ar": (
            "مساء الخير للجميع 🌙",
            "تحية من عمّان 👋",
            "شكله لذيذ جدًا 😍",
            "ما اسم الأغنية؟",
            "أول مرة أدخل البث، جميل",
            "ما شاء الله",
            "كم دقيقة على النار؟",
            "استمر ❤️",
        ),
        "zh": (
            "晚上好呀 🌙",
            "看饿了……",
            "这首歌叫什么?",
            "汤要熬多久?",
            "第一次来,好喜欢这个氛围",
            "哈哈哈哈猫猫抢镜",
            "求菜谱!",
            "从成都来打个招呼 👋",
            "主播手好稳",
            "明天还播吗?",
        ),
        "ja": (
            "こんばんは!",
            "おいしそう 🍜",
            "この曲なんですか?",
            "初見です、よろしく",
            "ねこちゃん!🐈",
            "作業用に流してます",
            "湯気がたまらない",
            "また明日も来ます ✨",
        ),
        "de": (
            "moin aus Bremen 👋",
            "sieht richtig lecker aus",
            "welche Schüssel ist das?",
            "schönen Abend euch allen",
            "jetzt hab ich Hunger 😅",
            "die Musik passt perfekt",
        ),
        "fr": (
            "bonsoir tout le monde ✨",
            "ça donne faim !",
            "c'est quoi la chanson ?",
            "coucou de Nantes 👋",
            "trop mignon le chat",
            "j'essaie demain, promis",
        ),
    }
)

QUESTIONS: Final = (
    "Which knife do you use every day?",
    "How did you start cooking?",
    "¿Cuál es tu plato favorito?",
    "Could you do a vegetarian version?",
    "最喜欢的配料是什么?",
    "What was your worst kitchen disaster?",
)

CAPTIONS: Final = (
    "Welcome back, everyone, good to see you.",
    "So this has been on the stove since noon.",
    "Listen to that, that is the sound you want.",
    "Somebody asked about the broth, I will get to it.",
    "Do not rush this part.",
    "Now the noodles, ninety seconds, not more.",
    "Thank you so much for the roses.",
    "If you are new here, hello and sit down.",
    "That is the cat, she runs the place.",
    "Let us see what the poll says.",
)

POLLS: Final = (
    ("What goes on top?", ("Soft egg", "Corn", "More greens")),
    ("Next dish?", ("Dumplings", "Curry", "Pancakes")),
    ("Music?", ("Lo-fi", "City pop", "Rain only")),
)

ROSE: Final = 5655

GIFTS: Final = (
    Gift(ROSE, "Rose", 1, "🌹", combo=True, weight=46),
    Gift(5269, "Tiny Star", 1, "⭐", combo=True, weight=18),
    Gift(5487, "Finger Heart", 5, "🫰", combo=True, weight=12),
    Gift(5879, "Doughnut", 30, "🍩", combo=True, weight=8),
    Gift(5660, "Paper Crane", 99, "🕊️", combo=True, weight=5),
    Gift(6104, "Noodle Bowl", 199, "🍜", combo=False, weight=4),
    Gift(6369, "Lantern Fest", 500, "🏮", combo=False, weight=2),
    Gift(7934, "Night Train", 1500, "🚂", combo=False, weight=1),
)

CATALOGUE: Final = Catalogue(
    chat=CHAT,
    cheers=("🔥🔥🔥", "wow", "👏👏", "{0} 👑", "legend!", "😮", "❤️❤️", "thank you {0}!"),
    shouts=("BEST PRICES!!! visit shop dot example NOW",),
    gifts=GIFTS,
)
