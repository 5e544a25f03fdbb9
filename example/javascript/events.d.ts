/** Generated from `shared/events.py` by `make docs`: every event there is, as it comes over the wire.
 *
 * A newer gateway may send other types and other fields: pass over what you do not know.
 */

/** A mark beside a name. `kind` says what for: moderator, subscriber, rank, payer, fans, other. */
export interface Badge {
  kind: string;
  level?: number;
  text?: string;
  image?: string;
}

/** A person. Only the first six are always there; unknown ones are empty.
 *
 * `unique_id` is the @handle (Douyin: the display number); `roles` of anchor, moderator, subscriber, follower, mutual,
 * super_fan; `level` the payer grade; `masked` a placeholder that many viewers share: never a key. */
export interface User {
  id: string;
  unique_id: string;
  nickname: string;
  avatar: string;
  roles: string[];
  badges: Badge[];
  level?: number;
  fans_level?: number;
  fans_club?: string;
  sec_uid?: string;
  verified?: boolean;
  masked?: boolean;
}

/** Common to all: the canonical room, the platform's message id, the place in the log, and when.
 *
 * `id` is absent on events made here and where the platform gave 0. `cursor` is set when the event is numbered.
 * `time` is the platform's, else that of receipt. `history`: told on connecting, happened before we listened. */
export interface Common {
  platform: string;
  room: string;
  id?: string;
  cursor?: string;
  time: number;
  history?: boolean;
}

/** A picture within a chat text, at the character `index`. */
export interface ChatEmote {
  id: string;
  image: string;
  index: number;
}

/** A viewer said something. `highlight`: screen or privilege, a paid display. */
export interface Chat extends Common {
  type: "chat";
  user: User;
  content: string;
  lang?: string;
  emotes: ChatEmote[];
  mentions: User[];
  highlight?: string;
  gift_image?: string;
}

/** One picture sent instead of text. */
export interface EmotePicture {
  id: string;
  image: string;
  text?: string;
}

/** Fields of `emote`. */
export interface EmoteDetail {
  emotes: EmotePicture[];
}

/** A viewer sent pictures instead of text. */
export interface Emote extends Common {
  type: "emote";
  user: User;
  emote: EmoteDetail;
}

/** What was given. `diamond_count` is the price of one; `combo` says whether presses add up to a streak. */
export interface GiftInfo {
  id: string;
  name: string;
  describe: string;
  diamond_count: number;
  diamondCount: number;
  type: number;
  combo: boolean;
  image: string;
}

/** A press of a gift. The sum of `delta` is the number of gifts, of `diamonds` the value.
 *
 * `repeat_count`, `combo_count`, `repeat_end` (0 or 1), `group_id` ("0" when none) and `group_count` (>= 1, units per
 * press) are the platform's; `delta`, `total`, `diamonds` and `final` are computed when the event is published. */
export interface Gift extends Common {
  type: "gift";
  user: User;
  gift: GiftInfo;
  gift_id: string;
  repeat_count: number;
  combo_count: number;
  repeat_end: number;
  group_id: string;
  group_count: number;
  delta: number;
  total: number;
  diamonds: number;
  final: boolean;
  to_user?: User;
}

/** Likes of one viewer: `like_count` >= 1 in this batch; `total_like_count` of the room, which never goes down. */
export interface Like extends Common {
  type: "like";
  user: User;
  like_count: number;
  total_like_count: number;
}

/** Somebody came, went, or was muted, kicked, made admin: `action`, and the platform's number in `action_id`. */
export interface Member extends Common {
  type: "member";
  user: User;
  member_count: number;
  action: string;
  action_id: number;
  operator?: User;
}

/** Somebody follows the host; `follow_count` is the number of followers after it. */
export interface Follow extends Common {
  type: "follow";
  user: User;
  action: string;
  follow_count?: number;
}

/** Somebody shared the room; `share_count` is the number of people who came by it. */
export interface Share extends Common {
  type: "share";
  user: User;
  action: string;
  target?: string;
  share_count?: number;
}

/** `kind`: new, renewal, gifted, cancelled, super_fan. */
export interface SubscribeDetail {
  kind: string;
  months?: number;
  gifter?: User;
}

/** Somebody subscribed to the host. */
export interface Subscribe extends Common {
  type: "subscribe";
  user: User;
  subscribe: SubscribeDetail;
}

/** `kind`: join, level_up. */
export interface FansClubDetail {
  kind: string;
  level?: number;
  name?: string;
}

/** Somebody joined the host's fans club, or rose in it. */
export interface FansClub extends Common {
  type: "fans_club";
  user: User;
  fans_club: FansClubDetail;
}

/** `state`: asked, selected, removed, on, off. */
export interface QuestionDetail {
  id: string;
  state: string;
  text?: string;
}

/** A question to the host, or the question box switched on or off. */
export interface Question extends Common {
  type: "question";
  user?: User;
  question: QuestionDetail;
}

/** `state`: shown, hidden. `people` can open it, from `opens_at` on. */
export interface EnvelopeDetail {
  id: string;
  state: string;
  kind: string;
  diamonds?: number;
  people?: number;
  opens_at?: number;
}

/** A treasure box (Douyin: lucky box) appeared or went. */
export interface Envelope extends Common {
  type: "envelope";
  user?: User;
  envelope: EnvelopeDetail;
}

/** Somebody who scored for one side of a battle. */
export interface Supporter {
  user: User;
  score: number;
}

/** One host of a battle. `result`: win, lose, draw. */
export interface BattleSide {
  anchor: User;
  score: number;
  result?: string;
  top: Supporter[];
}

/** `state`: invited, started, scores, finished, cancelled, punish_finished, item. */
export interface BattleDetail {
  id: string;
  state: string;
  started_at?: number;
  duration_ms?: number;
  sides: BattleSide[];
}

/** A match between hosts: its start, scores, end. */
export interface Battle extends Common {
  type: "battle";
  battle: BattleDetail;
}

/** One thing to collect for a goal. */
export interface GoalPart {
  id: string;
  progress: number;
  target: number;
  gift_name?: string;
}

/** `state` is the platform's number. */
export interface GoalDetail {
  id: string;
  state: number;
  description: string;
  parts: GoalPart[];
  contributor?: User;
}

/** The host's goal moved on. */
export interface Goal extends Common {
  type: "goal";
  goal: GoalDetail;
}

/** One answer and its votes so far. */
export interface PollOption {
  index: number;
  text: string;
  votes: number;
}

/** `state`: started, votes, ended. */
export interface PollDetail {
  id: string;
  state: string;
  title?: string;
  options: PollOption[];
  ends_at?: number;
}

/** A poll of the host. */
export interface Poll extends Common {
  type: "poll";
  poll: PollDetail;
}

/** A place in a ranking; `score` as the platform writes it. */
export interface RankEntry {
  rank: number;
  score: string;
  user: User;
}

/** `kind` names the ranking; `own_rank` is the host's place. */
export interface RankDetail {
  kind: string;
  own_rank?: number;
  text?: string;
  countdown_ms?: number;
  top: RankEntry[];
}

/** A ranking the host takes part in. */
export interface Rank extends Common {
  type: "rank";
  rank: RankDetail;
}

/** What was said, in one language. */
export interface CaptionText {
  lang: string;
  text: string;
}

/** `final` false: the sentence may still change. */
export interface CaptionDetail {
  texts: CaptionText[];
  start_at: number;
  duration_ms: number;
  final: boolean;
}

/** Subtitles of the host's speech. */
export interface Caption extends Common {
  type: "caption";
  caption: CaptionDetail;
}

/** `state`: pinned, unpinned. `event` is the pinned event, without cursor. */
export interface PinDetail {
  state: string;
  message_id: string;
  duration_ms?: number;
  operator?: User;
  event?: Chat | Gift | Like | Member | Follow | Share;
}

/** A message was pinned, or its pin taken off. */
export interface Pin extends Common {
  type: "pin";
  pin: PinDetail;
}

/** Messages, and users with all their messages. */
export interface DeleteDetail {
  message_ids: string[];
  user_ids: string[];
}

/** Take these off the screen. */
export interface Delete extends Common {
  type: "delete";
  delete: DeleteDetail;
}

/** Fields of `intro`. */
export interface IntroDetail {
  text: string;
  lang?: string;
}

/** The host's introduction. */
export interface Intro extends Common {
  type: "intro";
  user?: User;
  intro: IntroDetail;
}

/** `kind`: welcome, room, system, barrage, level_up, toast, bottom, notify. */
export interface NoticeDetail {
  kind: string;
  text: string;
  key?: string;
  level?: number;
}

/** Something the platform shows in the chat of the room. */
export interface Notice extends Common {
  type: "notice";
  user?: User;
  notice: NoticeDetail;
}

/** Something for sale; `price` as the platform writes it. */
export interface Product {
  id: string;
  title: string;
  price: string;
  image: string;
}

/** `state`: popped, updated, removed. `products` is their number. */
export interface ShoppingDetail {
  state: string;
  product?: Product;
  products?: number;
}

/** The room's shop changed. */
export interface Shopping extends Common {
  type: "shopping";
  shopping: ShoppingDetail;
}

/** One of the room's top gifters. */
export interface TopViewer {
  rank: number;
  score: number;
  user: User;
}

/** Viewers now (`viewer_count`, and `total`, its old name) and since the start (`total_user`). */
export interface RoomStats extends Common {
  type: "room_stats";
  viewer_count: number;
  total: number;
  total_user: number;
  viewers_text?: string;
  top: TopViewer[];
}

/** Only what changed. */
export interface RoomUpdateDetail {
  title?: string;
  cover?: string;
  owner?: User;
}

/** The room's front changed. */
export interface RoomUpdate extends Common {
  type: "room_update";
  room_update: RoomUpdateDetail;
}

/** `state`: live, paused. `gifts` false: this session will not be told gifts. */
export interface LiveStatusDetail {
  state: string;
  title?: string;
  owner?: User;
  started_at?: number;
  gifts: boolean;
}

/** The broadcast runs, or is paused. */
export interface LiveStatus extends Common {
  type: "live_status";
  live_status: LiveStatusDetail;
}

/** `reason`: host, banned, unknown. */
export interface EndedDetail {
  reason: string;
  text?: string;
}

/** The last event of a broadcast. */
export interface Ended extends Common {
  type: "ended";
  ended: EndedDetail;
}

/** A message without a mapping, or one that did not decode (`decode_error`). `payload` is base64. */
export interface Raw extends Common {
  type: "raw";
  method: string;
  payload: string;
  truncated?: boolean;
  decode_error?: string;
}

/** Events are missing here, and cannot be had. Told, never hidden.
 *
 * `after` is the last one sure to be delivered, `before` the first one after it. `reason`: trimmed, expired, rewound
 * (events after it may come again under new cursors), or upstream: lost before the log, and then itself an entry of
 * the log, with a `cursor`. */
export interface Gap {
  type: "gap";
  platform: string;
  room: string;
  cursor?: string;
  after: string;
  before: string;
  reason: string;
}

/** Any of them; `event.type` tells which. */
export type Event =
  | Chat
  | Emote
  | Gift
  | Like
  | Member
  | Follow
  | Share
  | Subscribe
  | FansClub
  | Question
  | Envelope
  | Battle
  | Goal
  | Poll
  | Rank
  | Caption
  | Pin
  | Delete
  | Intro
  | Notice
  | Shopping
  | RoomStats
  | RoomUpdate
  | LiveStatus
  | Ended
  | Raw
  | Gap;
