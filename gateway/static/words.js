/** The page's own words, in the languages it speaks. What the gateway says comes in the language asked for. */

const WORDS = {
  en: {
    tagline: "Watch what happens in a live room: chat, gifts and viewers, the moment they happen.",
    ask: "@name, number or link",
    join: "Join", again: "Try again", attempt: "Try",
    lost: "The connection was lost. Coming back by itself.",
    gone: "The connection was closed.",
    quiet: "You are in. Nothing has happened yet.",
    state: {
      connecting: "Connecting", token: "Getting token", checking: "Checking", live: "Live", paused: "Paused",
      reconnecting: "Reconnecting", waiting: "Waiting", offline: "Offline", ended: "Ended", refused: "Not available",
      closed: "Closed",
    },
    stats: { viewers: "Watching", total: "Came by", likes: "Likes", diamonds: "New diamonds", rate: "Events/s" },
    role: { anchor: "Host", moderator: "Mod", subscriber: "Sub", super_fan: "Super fan" },
    sent: (gift, to) => (to ? `sent ${gift} to ${to}` : `sent ${gift}`),
    joined: (others) => (others === 0 ? "joined" : others === 1 ? "and 1 other joined" : `and ${others} others joined`),
    newRows: (count) => (count === 1 ? "1 new" : `${count} new`),
    mark: {
      gap: () => "Something is missing here",
      dropped: (count) => `${count} small events skipped: this connection is slow`,
    },
    deed: {
      follow: () => "followed the host",
      share: () => "shared the room",
      subscribe: ({ count }) => (count > 1 ? `subscribed, ${count} months now` : "subscribed"),
      fans_club: ({ text, count }) => `is in the fans club${text ? ` ${text}` : ""}${count ? `, level ${count}` : ""}`,
      question: ({ text }) => `asks: ${text}`,
      envelope: ({ count }) => (count ? `left a treasure box with ${count} diamonds` : "left a treasure box"),
      mute: () => "was muted", unmute: () => "may speak again", kick: () => "was removed",
      ban: () => "was banned", unban: () => "may come back",
      admin_set: () => "is a moderator now", admin_removed: () => "is no moderator any more",
    },
    chat: "Chat", givers: "Top gifters", nobody: "Nobody yet",
    noGifts: "Gifts are told to logged-in sessions only: the server has no login cookie for this room.",
    battle: "Battle", poll: "Poll", goal: "Goal", pin: "Pinned",
    result: { win: "won", lose: "lost", draw: "draw" },
    votes: (count) => (count === 1 ? "1 vote" : `${count} votes`),
  },
  zh: {
    tagline: "实时观看直播间：弹幕、礼物、观众，一有动静就看得到。",
    ask: "@用户名、房间号或链接",
    join: "进入", again: "重试", attempt: "试试",
    lost: "连接已断开，正在自动恢复。",
    gone: "连接已关闭。",
    quiet: "已进入直播间，暂时还没有动静。",
    state: {
      connecting: "连接中", token: "获取令牌", checking: "检查中", live: "直播中", paused: "已暂停",
      reconnecting: "重连中", waiting: "等待开播", offline: "未开播", ended: "已结束", refused: "无法进入", closed: "已关闭",
    },
    stats: { viewers: "在线", total: "累计", likes: "点赞", diamonds: "新增钻石", rate: "事件/秒" },
    role: { anchor: "主播", moderator: "房管", subscriber: "订阅", super_fan: "超级粉丝" },
    sent: (gift, to) => (to ? `送给 ${to} ${gift}` : `送出 ${gift}`),
    joined: (others) => (others === 0 ? "来了" : `等 ${others + 1} 人来了`),
    newRows: (count) => `${count} 条新消息`,
    mark: {
      gap: () => "此处缺少部分内容",
      dropped: (count) => `网络较慢，已跳过 ${count} 条次要内容`,
    },
    deed: {
      follow: () => "关注了主播",
      share: () => "分享了直播间",
      subscribe: ({ count }) => (count > 1 ? `已订阅 ${count} 个月` : "订阅了主播"),
      fans_club: ({ text, count }) => `加入粉丝团${text ? ` ${text}` : ""}${count ? `，${count} 级` : ""}`,
      question: ({ text }) => `提问：${text}`,
      envelope: ({ count }) => (count ? `放出了 ${count} 钻石的宝箱` : "放出了宝箱"),
      mute: () => "被禁言", unmute: () => "解除禁言", kick: () => "被移出", ban: () => "被拉黑", unban: () => "解除拉黑",
      admin_set: () => "成为房管", admin_removed: () => "不再是房管",
    },
    chat: "弹幕", givers: "礼物榜", nobody: "暂无",
    noGifts: "只有已登录的会话才会收到礼物：服务器没有为此房间设置登录 Cookie。",
    battle: "对战", poll: "投票", goal: "目标", pin: "置顶",
    result: { win: "胜", lose: "负", draw: "平" },
    votes: (count) => `${count} 票`,
  },
};

/** "zh" or "en": the first of the reader's languages that is spoken here. */
export function pickLanguage(preferred) {
  return preferred.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => Object.hasOwn(WORDS, tag)) ?? "en";
}

export const wordsIn = (language) => WORDS[language];
