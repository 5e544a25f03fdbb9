"""What people read: the text of every status, error and closing frame, in every language there is.

Old clients show these texts to their users, so each says what happened, and each suggestion what can be done about it.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from gateway.close_codes import Code


class Lang(StrEnum):
    """Values of the option `lang`."""

    ZH = "zh"
    EN = "en"


DEFAULT_LANG = Lang.ZH  # what clients of tkLiveWebSocket have always been told


class Status(StrEnum):
    """Words of status frames."""

    CONNECTING = "connecting"
    CREATING_CRAWLER = "creating_crawler"
    GETTING_TOKEN = "getting_token"  # noqa: S105 - no token, a step's name
    CHECKING_LIVE = "checking_live"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    WAITING = "waiting"


class ErrorText(NamedTuple):
    """The three texts of an error frame."""

    error: str
    detail: str
    suggestion: str


STATUS_TEXTS: Mapping[Status, Mapping[Lang, str]] = MappingProxyType(
    {
        Status.CONNECTING: {Lang.ZH: "正在加入直播间", Lang.EN: "Joining the room"},
        Status.CREATING_CRAWLER: {Lang.ZH: "已分配采集节点", Lang.EN: "An ingestor has taken the room"},
        Status.GETTING_TOKEN: {Lang.ZH: "正在查找直播间并获取凭证", Lang.EN: "Looking the room up"},
        Status.CHECKING_LIVE: {Lang.ZH: "正在确认是否开播", Lang.EN: "Checking whether the room is live"},
        Status.CONNECTED: {Lang.ZH: "已连接直播间，开始接收消息", Lang.EN: "Connected; events follow"},
        Status.RECONNECTING: {
            Lang.ZH: "与平台的连接中断，正在重连",
            Lang.EN: "The connection to the platform was lost; connecting again",
        },
        Status.WAITING: {
            Lang.ZH: "当前未开播，正在等待；开播后自动开始",
            Lang.EN: "Not live now; waiting, and it starts by itself",
        },
    }
)

CLOSING_TEXTS: Mapping[Code, Mapping[Lang, str]] = MappingProxyType(
    {
        Code.REQUESTED: {Lang.ZH: "已按您的要求关闭连接", Lang.EN: "Closed as you asked"},
        Code.DRAINING: {
            Lang.ZH: "本节点正在停止服务，请重新连接",
            Lang.EN: "This gateway is going away; please connect again",
        },
        Code.SLOW_CONSUMER: {
            Lang.ZH: "接收过慢，连接已关闭，可从 cursor 处继续",
            Lang.EN: "You read too slowly; resume from the cursor",
        },
        Code.ENDED: {Lang.ZH: "直播已结束", Lang.EN: "The broadcast is over"},
    }
)

ERROR_TEXTS: Mapping[Code, Mapping[Lang, ErrorText]] = MappingProxyType(
    {
        Code.BAD_ROOM: {
            Lang.ZH: ErrorText("直播间无效", "无法识别该直播间", "请填写直播间号、@用户名，或个人主页链接"),
            Lang.EN: ErrorText(
                "Not a room", "This is not a room of the platform", "Ask for a room id, an @name or a profile link"
            ),
        },
        Code.NOT_FOUND: {
            Lang.ZH: ErrorText("直播间不存在", "平台上没有这个直播间或用户", "请检查直播间号或用户名"),
            Lang.EN: ErrorText("Room not found", "The platform knows no such room or user", "Check the id or name"),
        },
        Code.OFFLINE: {
            Lang.ZH: ErrorText("直播间未开播", "主播当前没有直播", "请在开播后再连接"),
            Lang.EN: ErrorText("Room is not live", "The host is not live now", "Come back when the broadcast runs"),
        },
        Code.RESTRICTED: {
            Lang.ZH: ErrorText("直播间受限", "该直播间有年龄或地区限制", "请使用可观看该直播间的账号 Cookie 或代理"),
            Lang.EN: ErrorText(
                "Room is restricted",
                "The room is limited by age or region",
                "Set a cookie or proxy of a viewer who may watch it",
            ),
        },
        Code.LOGIN_REQUIRED: {
            Lang.ZH: ErrorText("需要登录", "该直播间只对登录用户开放", "请在服务端设置登录 Cookie"),
            Lang.EN: ErrorText(
                "Login required", "The room is shown to logged-in viewers only", "Set a login cookie on the server"
            ),
        },
        Code.ENDED: {
            Lang.ZH: ErrorText("直播已结束", "这场直播已经结束", "请在下次开播后再连接"),
            Lang.EN: ErrorText("The broadcast is over", "This broadcast has ended", "Come back for the next one"),
        },
        Code.BAD_OPTION: {
            Lang.ZH: ErrorText("参数无效", "已忽略无效的参数", "请检查连接地址中的参数"),
            Lang.EN: ErrorText("Bad option", "An option was ignored", "Check the query of the address"),
        },
        Code.BAD_CURSOR: {
            Lang.ZH: ErrorText("游标无效", "since 不是该直播间的位置，从当前位置开始", "请使用该直播间消息中的 cursor"),
            Lang.EN: ErrorText(
                "Bad cursor",
                "`since` is no place in this room's log; starting from now",
                "Use the cursor of an event of this room",
            ),
        },
        Code.BAD_COMMAND: {
            Lang.ZH: ErrorText("命令无效", "无法识别该命令", "请发送 subscribe、unsubscribe、list、ping 或 close"),
            Lang.EN: ErrorText(
                "Bad command",
                "This is no command that is known here",
                "Send subscribe, unsubscribe, list, ping or close",
            ),
        },
        Code.TOO_MANY_ROOMS: {
            Lang.ZH: ErrorText("直播间过多", "该连接或该地址已达到直播间数量上限", "请先取消其他订阅，或另开一个连接"),
            Lang.EN: ErrorText(
                "Too many rooms",
                "This connection, or its address, has as many rooms as it may have",
                "Unsubscribe from another one, or open another connection",
            ),
        },
        Code.ALREADY_SUBSCRIBED: {
            Lang.ZH: ErrorText("重复订阅", "该连接已订阅这个直播间", "无需再次订阅"),
            Lang.EN: ErrorText(
                "Already subscribed", "This connection gets this room already", "There is nothing to be done"
            ),
        },
        Code.NOT_SUBSCRIBED: {
            Lang.ZH: ErrorText("未订阅", "该连接没有订阅这个直播间", "可用 list 查看已订阅的直播间"),
            Lang.EN: ErrorText(
                "Not subscribed", "This connection does not get this room", "See `list` for those it gets"
            ),
        },
        Code.UPSTREAM_LOST: {
            Lang.ZH: ErrorText("与平台的连接中断", "多次重连均失败", "保持连接即可，稍后会自动重试"),
            Lang.EN: ErrorText(
                "Connection to the platform lost", "All retries failed", "Stay connected: it is tried again by itself"
            ),
        },
        Code.BLOCKED: {
            Lang.ZH: ErrorText(
                "被平台拒绝", "平台的风控拒绝了连接", "保持连接即可，稍后会自动重试；或更换 Cookie、代理"
            ),
            Lang.EN: ErrorText(
                "Refused by the platform",
                "The platform's risk control refused the connection",
                "Stay connected, it is tried again by itself; or change cookie or proxy",
            ),
        },
        Code.RATE_LIMITED: {
            Lang.ZH: ErrorText("请求过于频繁", "已达到请求次数限制", "保持连接即可，稍后会自动重试"),
            Lang.EN: ErrorText(
                "Too many requests", "A limit of requests is reached", "Stay connected: it is tried again by itself"
            ),
        },
        Code.KEY_REFUSED: {
            Lang.ZH: ErrorText("API 密钥无效", "凭证服务商拒绝了 API 密钥或余额不足", "请检查服务端的 API 密钥与余额"),
            Lang.EN: ErrorText(
                "API key refused",
                "The token provider refuses the API key or its credit",
                "Check the server's API key and credit",
            ),
        },
        Code.NO_INGESTOR: {
            Lang.ZH: ErrorText(
                "没有可用的采集节点", "暂时没有采集节点接手该直播间", "保持连接即可，有节点后会自动开始"
            ),
            Lang.EN: ErrorText(
                "No ingestor", "Nobody has taken the room yet", "Stay connected: it starts as soon as one can"
            ),
        },
        Code.NO_CAPACITY: {
            Lang.ZH: ErrorText("采集节点已满", "所有采集节点都已满负荷", "保持连接即可，有空位后会自动开始"),
            Lang.EN: ErrorText(
                "No capacity", "All ingestors are full", "Stay connected: it starts as soon as one has room"
            ),
        },
        Code.UNAVAILABLE: {
            Lang.ZH: ErrorText("服务暂时不可用", "内部消息服务暂时中断", "保持连接即可，恢复后会补发消息"),
            Lang.EN: ErrorText(
                "Temporarily unavailable",
                "The internal message service is away",
                "Stay connected: events follow when it is back",
            ),
        },
        Code.DRAINING: {
            Lang.ZH: ErrorText("节点正在停止", "本节点正在停止服务", "请重新连接"),
            Lang.EN: ErrorText("Gateway is going away", "This gateway takes no more clients", "Connect again"),
        },
        Code.OVERLOADED: {
            Lang.ZH: ErrorText("节点已满", "连接数已达上限", "请稍后重新连接"),
            Lang.EN: ErrorText("Gateway is full", "The limit of connections is reached", "Connect again later"),
        },
        Code.TOO_LARGE: {
            Lang.ZH: ErrorText("消息过大", "客户端消息不能超过 4 KiB", "请发送更小的消息"),
            Lang.EN: ErrorText("Frame too large", "A client frame is at most 4 KiB", "Send smaller frames"),
        },
        Code.INTERNAL: {
            Lang.ZH: ErrorText("内部错误", "服务内部出错", "请重新连接；若持续出现请联系管理员"),
            Lang.EN: ErrorText("Internal error", "The fault is ours", "Connect again; tell the operator if it goes on"),
        },
    }
)
