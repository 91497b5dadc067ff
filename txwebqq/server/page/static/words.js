// @ts-check
// The texts of the page, in Chinese and English.

import { isolated } from "./dom.js";

/** @typedef {"zh" | "en"} Language */

/** @type {Language} */
export const language = navigator.languages.some((each) => /^zh\b/i.test(each))
  ? "zh"
  : "en";

/** @type {Record<string, [string, string]>} English, Chinese */
const WORDS = {
  title: ["WebQQ", "WebQQ"],
  number: ["Number", "号码"],
  password: ["Password", "密码"],
  signOn: ["Sign in", "登录"],
  signUp: ["Create an account", "注册新帐号"],
  signOff: ["Sign out", "退出"],
  signOffForgets: [
    "Messages that are not delivered are forgotten. Sign out?",
    "未送达的消息将丢失。要退出吗？",
  ],
  signingOn: ["Signing in…", "正在登录…"],
  captcha: ["The characters in the picture", "图中的字符"],
  captchaWanted: [
    "The server wants to know that you are a person.",
    "服务器需要确认您不是程序。",
  ],
  otherCaptcha: ["Another picture", "换一张"],
  numberWrong: ["A number has 5 to 10 digits.", "号码是 5 到 10 位数字。"],
  login1: [
    "Too many attempts from your address. Try again in ten minutes.",
    "您尝试的次数过多，请十分钟后再试。",
  ],
  login3: ["The number or the password is wrong.", "帐号或密码不正确。"],
  login4: ["The characters were wrong.", "验证码不正确。"],
  login5: [
    "This account may not sign in. Ask the operator of the server.",
    "该帐号无法登录，请联系管理员。",
  ],
  login19: ["The operator of the server has disabled this account.", "该帐号已被管理员停用。"],
  loginOther: ["The server refused the sign-in (code {code}).", "登录被拒绝（代码 {code}）。"],
  unreachable: ["The server does not answer.", "服务器没有响应。"],
  online: ["Connected", "已连接"],
  reconnecting: [
    "No connection. Trying again…",
    "连接已断开，正在重新连接…",
  ],
  kicked: [
    "You have signed in somewhere else, so this page was signed out.",
    "您的帐号已在别处登录，本页面已下线。",
  ],
  expired: ["Your session has ended. Please sign in again.", "会话已过期，请重新登录。"],
  otherTab: [
    "This account is open in another tab. Sign in here to use it in this one.",
    "该帐号已在另一个标签页中打开。在此登录即可改用本页。",
  ],
  search: ["Search friends and groups", "搜索好友和群"],
  searchFriends: ["Search friends", "搜索好友"],
  recent: ["Recent", "最近"],
  friends: ["Friends", "好友"],
  groups: ["Groups", "群"],
  discussions: ["Discussions", "讨论组"],
  myFriends: ["My friends", "我的好友"],
  nobody: ["Nobody found", "没有找到"],
  noConversations: ["No conversations yet", "还没有会话"],
  members: ["Members", "成员"],
  owner: ["owner", "群主"],
  administrator: ["administrator", "管理员"],
  choose: ["Choose a conversation", "请选择一个会话"],
  message: ["Message", "消息"],
  send: ["Send", "发送"],
  picture: ["picture", "图片"],
  openPicture: ["Open the picture", "查看图片"],
  addPicture: ["Send a picture", "发送图片"],
  addFace: ["Emoticons", "表情"],
  shake: ["Shake", "抖动窗口"],
  shook: ["{name} has shaken your window.", "{name} 给您发送了一个窗口抖动。"],
  shookTimes: [
    "{name} has shaken your window {count} times.",
    "{name} 给您发送了 {count} 次窗口抖动。",
  ],
  shaken: ["You have shaken the window.", "您发送了一个窗口抖动。"],
  back: ["Back", "返回"],
  older: ["Earlier messages", "更早的消息"],
  newMessage: ["1 new message", "1 条新消息"],
  newMessages: ["{count} new messages", "{count} 条新消息"],
  loading: ["Loading…", "正在加载…"],
  historyFailed: ["The history could not be loaded.", "无法加载消息记录。"],
  sending: ["sending", "发送中"],
  failed: ["not delivered", "未送达"],
  unknown: ["perhaps not delivered", "可能未送达"],
  retry: ["Send again", "重新发送"],
  edit: ["Edit", "编辑"],
  discard: ["Discard", "放弃"],
  cancel: ["Cancel", "取消"],
  tooLong: [
    "Too long to send: {size} of at most {limit} bytes. A Chinese character has 3.",
    "消息过长，无法发送：{size} 字节，最多 {limit} 字节（一个汉字 3 字节）。",
  ],
  codelargePicture: ["a picture may have at most {size}", "图片不能超过 {size}"],
  codeanimation: [
    "a moving picture has to be a GIF of at most {size}",
    "动图须为不超过 {size} 的 GIF",
  ],
  codepixels: [
    "a picture may have at most {megapixels} megapixels",
    "图片不能超过 {megapixels} 百万像素",
  ],
  codeunreadable: ["the browser cannot read this picture", "浏览器无法读取这张图片"],
  pictureShrunk: [
    "The picture was made smaller to be sent: {from} became {to}.",
    "图片过大，已缩小后发送：{from} → {to}。",
  ],
  avatarShrunk: [
    "The avatar was made smaller: {from} became {to}.",
    "头像图片过大，已缩小：{from} → {to}。",
  ],
  sendAsFile: ["Send as a file", "作为文件发送"],
  codelargeFile: ["a file may have at most {size}", "文件不能超过 {size}"],
  codepicture1: ["the server does not know this kind of picture", "服务器不支持这种图片"],
  codepicture2: ["the server keeps too many pictures of yours", "您在服务器上的图片过多"],
  codepicture3: [
    "the picture is too large, or you have sent too much today",
    "图片过大，或今天上传过多",
  ],
  "code-30003": ["the file is too large", "文件过大"],
  "code-30001": ["too many files", "文件过多"],
  "code-30002": ["too many files for today", "今天上传的文件过多"],
  codestalled: ["the upload made no progress", "上传没有进展"],
  code112: ["too many messages", "消息过多"],
  code111: ["the recipient has blocked you", "对方已屏蔽您"],
  code113: ["you are muted in this group", "您已被禁言"],
  code123: ["too long", "消息过长"],
  "code-40001": [
    "a discussion needs at least two other people",
    "讨论组至少需要另外两人",
  ],
  "code-40002": [
    "too many members, or too many discussions of yours",
    "成员过多，或您的讨论组过多",
  ],
  "code-40003": ["that name is not possible", "不能使用这个名称"],
  code100001: ["no longer possible here", "无法在此操作"],
  // Reasons of the server.
  "account is your friend": ["You are friends already.", "对方已是您的好友。"],
  "there is nobody of that number or mail address": ["Nobody found", "没有找到"],
  "that is not the answer to their question": [
    "That is not the answer to their question.",
    "问题的答案不正确。",
  ],
  "too many people wait for their answer": [
    "Too many people wait for their answer.",
    "等待对方答复的人过多。",
  ],
  "you have asked too many people in an hour": [
    "You have asked too many people; try again in an hour.",
    "您的请求过多，请一小时后再试。",
  ],
  "you wait for too many answers": [
    "You wait for the answers of too many people.",
    "您等待答复的请求过多。",
  ],
  "you are in that group": ["You are a member already.", "您已是该群成员。"],
  "the group is full": ["The group is full.", "群已满员。"],
  "name has an invisible character": [
    "The name has an invisible character.",
    "名称含有不可见字符。",
  ],
  "discu_name has an invisible character": [
    "The name has an invisible character.",
    "名称含有不可见字符。",
  ],
  "nick has an invisible character": [
    "The nick has an invisible character.",
    "昵称含有不可见字符。",
  ],
  "card has an invisible character": [
    "The name has an invisible character.",
    "名片含有不可见字符。",
  ],
  "name is empty": ["The name is empty.", "名称为空。"],
  "only the owner and administrators may do that": [
    "Only the owner and administrators may do that.",
    "只有群主和管理员可以这样做。",
  ],
  "only the owner may do that": ["Only the owner may do that.", "只有群主可以这样做。"],
  pictureUnshown: ["picture that cannot be shown", "无法显示的图片"],
  pictureFailed: ["The picture could not be loaded", "图片无法加载"],
  noFolders: [
    "Nothing was sent: a folder cannot be sent, only its files.",
    "未发送：不能发送文件夹，请发送其中的文件。",
  ],
  notPicture: ["it is no picture", "不是图片"],
  recalled: ["recalled", "消息已撤回"],
  recalledBy: ["recalled by {name}", "{name} 撤回了这条消息"],
  earlierMessage: ["an earlier message", "更早的消息"],
  typing: ["{name} is typing…", "{name} 正在输入…"],
  replyTo: ["Reply", "回复"],
  replyingTo: ["Reply to {name}:", "回复 {name}："],
  unread: ["{count} unread", "{count} 条未读"],
  status: ["Status", "状态"],
  statusOnline: ["online", "在线"],
  statusOffline: ["offline", "离线"],
  statusAway: ["away", "离开"],
  statusBusy: ["busy", "忙碌"],
  statusCallme: ["open to chats", "Q我吧"],
  statusSilent: ["do not disturb", "请勿打扰"],
  statusHidden: ["invisible", "隐身"],
  notify: ["Notify me of new messages", "有新消息时通知我"],
  nameAndNumber: ["{name} ({number})", "{name} ({number})"],
  aMember: ["A member", "有人"],
  aGroup: ["a group", "群"],
  operator: ["The operator of the server", "服务器管理员"],
  said: [": {said}", "：{said}"],
  earlierNews: ["{count} earlier", "更早的 {count} 条"],
  verify_required: ["{who} asks to be your friend.", "{who} 请求加您为好友。"],
  accept: ["Accept", "同意"],
  refuse: ["Refuse", "拒绝"],
  verify_pass: ["{who} has accepted your request.", "{who} 接受了您的好友请求。"],
  verify_pass_add: ["{who} is your friend now.", "{who} 已和您互加好友。"],
  verify_rejected: ["{who} has refused your request.", "{who} 拒绝了您的好友请求。"],
  added_buddy_sig: ["{who} has added you.", "{who} 加您为好友。"],
  added_buddy_nosig: ["{who} has added you.", "{who} 加您为好友。"],
  group_join: ["{who} has joined {name}.", "{who} 加入了 {name}。"],
  group_joinOwn: ["You are a member of {name} now.", "您已加入 {name}。"],
  group_joinBy: ["{by} has let {who} into {name}.", "{by} 让 {who} 加入了 {name}。"],
  group_joinOwnBy: ["{by} has let you into {name}.", "{by} 让您加入了 {name}。"],
  group_leave: ["{who} has left {name}.", "{who} 退出了 {name}。"],
  group_leaveOwn: ["You are no longer a member of {name}.", "您已不在群 {name} 中。"],
  groupRemoved: ["{who} was removed from {name}.", "{who} 被移出了 {name}。"],
  groupRemovedOwn: ["You were removed from {name}.", "您被移出了 {name}。"],
  groupRemovedBy: ["{by} has removed {who} from {name}.", "{by} 将 {who} 移出了 {name}。"],
  groupRemovedOwnBy: ["{by} has removed you from {name}.", "{by} 将您移出了 {name}。"],
  groupDissolved: ["{name} was dissolved.", "{name} 已被解散。"],
  group_create: ["You are a member of {name} now.", "您已加入 {name}。"],
  groupAdmin: ["{who} is an administrator of {name} now.", "{who} 成为 {name} 的管理员。"],
  groupAdminOwn: ["You are an administrator of {name} now.", "您成为 {name} 的管理员。"],
  groupNoAdmin: [
    "{who} is no longer an administrator of {name}.",
    "{who} 不再是 {name} 的管理员。",
  ],
  groupNoAdminOwn: [
    "You are no longer an administrator of {name}.",
    "您不再是 {name} 的管理员。",
  ],
  groupOwner: ["{who} is the owner of {name} now.", "{who} 成为 {name} 的群主。"],
  groupOwnerOwn: ["You are the owner of {name} now.", "您成为 {name} 的群主。"],
  group_request_join: ["{who} asks to join {name}.", "{who} 申请加入 {name}。"],
  group_request_join_agree: ["You are a member of {name} now.", "您已加入 {name}。"],
  group_request_join_agreeBy: [
    "{by} has accepted your request: you are a member of {name} now.",
    "{by} 同意了您的申请，您已加入 {name}。",
  ],
  group_request_join_deny: [
    "Your request to join {name} was refused.",
    "您加入 {name} 的请求被拒绝。",
  ],
  group_request_answered: [
    "{by} has refused the request of {who} to join {name}.",
    "{by} 拒绝了 {who} 加入 {name} 的申请。",
  ],
  "req_uin does not ask to join, or no longer": [
    "Another administrator has answered it.",
    "该请求已被处理。",
  ],
  addFriend: ["Add a friend", "添加好友"],
  joinGroup: ["Join a group", "加入群"],
  createGroup: ["New group", "创建群"],
  createDiscussion: ["New discussion", "创建讨论组"],
  profile: ["My profile", "我的资料"],
  more: ["More", "更多"],
  add: ["Add", "添加"],
  find: ["Search", "查找"],
  ask: ["Ask to join", "申请加入"],
  create: ["Create", "创建"],
  save: ["Save", "保存"],
  remove: ["Remove", "删除"],
  name: ["Name", "名称"],
  nick: ["Nick", "昵称"],
  signature: ["Signature", "个性签名"],
  avatar: ["Avatar (a picture)", "头像（图片）"],
  markname: ["Your name for them", "备注"],
  category: ["Category", "分组"],
  requestText: ["Message to them", "附言"],
  groupQuery: ["Number or words", "群号或关键字"],
  acceptsNobody: ["They accept no requests.", "对方不接受好友请求。"],
  ownNumber: ["That is your own number.", "这是您自己的号码。"],
  discussionNeeds: [
    "A discussion needs at least two other people.",
    "讨论组至少需要另外两人。",
  ],
  added: ["{name} was added.", "已添加 {name}。"],
  askedAlready: [
    "They have asked to be your friend. With “Add” you accept.",
    "对方已请求加您为好友，点击“添加”即表示同意。",
  ],
  blockedHint: [
    "You have blocked them. They can write to you only when you unblock them.",
    "您已屏蔽对方；取消屏蔽后对方才能给您发消息。",
  ],
  requested: ["Your request was sent: {name}", "请求已发送：{name}"],
  editFriend: ["Rename or move", "修改备注或分组"],
  removeFriend: ["Remove {name} from both friend lists?", "将 {name} 从双方好友列表中删除？"],
  removeFriendShort: ["Remove from friends", "删除好友"],
  block: ["Block", "屏蔽"],
  unblock: ["Unblock", "取消屏蔽"],
  blockFriend: ["Block {name}? They cannot write to you.", "屏蔽 {name}？对方将无法给您发消息。"],
  unblockFriend: ["Let {name} write to you again?", "允许 {name} 再给您发消息？"],
  blocked: ["blocked", "已屏蔽"],
  blockedPeople: ["Blocked people", "已屏蔽的人"],
  noneBlocked: ["You have blocked nobody.", "您没有屏蔽任何人。"],
  rename: ["Rename", "重命名"],
  leave: ["Leave", "退出"],
  leaveGroup: ["Leave {name}?", "退出 {name}？"],
  dissolve: ["Dissolve", "解散"],
  dissolveGroup: [
    "Dissolve {name}? It ends for all members.",
    "解散 {name}？所有成员都将退出。",
  ],
  removeMember: ["Remove a member", "移除成员"],
  addFile: ["Send a file", "发送文件"],
  fileSize: ["{name} ({size})", "{name}（{size}）"],
  fileGone: [
    "{name} ({size}), no longer on the server",
    "{name}（{size}），服务器上已没有此文件",
  ],
  download: ["Download", "下载"],
  offered: [
    "{name} – offered for two minutes, and not stored. It comes while you both are online.",
    "{name}：对方在线发送，两分钟内有效，不会保存在服务器上。",
  ],
  offerDone: ["{name} – received", "{name}：已接收"],
  offerFailed: ["{name} – the transfer has failed", "{name}：传输失败"],
  offerLate: ["{name} – the offer has expired", "{name}：已过期"],
  offerRefused: ["{name} – you have refused it", "{name}：您已拒绝"],
  offerWithdrawn: ["{name} – your friend has withdrawn it", "{name}：对方已取消"],
  sendingPart: ["sending: {percent} %", "发送中：{percent} %"],
  fetchingFile: ["Downloading {name}: {percent} %", "正在下载 {name}：{percent} %"],
  fileFailed: ["{name}: {reason}", "{name}：{reason}"],
  draft: ["draft", "草稿"],
  unsentLost: [
    "Your message to {name} was not sent: {text}",
    "您发给 {name} 的消息未发送：{text}",
  ],
  close: ["Close", "关闭"],
  categories: ["Friend categories", "好友分组"],
  newCategory: ["New category", "新分组"],
  categoryHint: [
    "Friends of a category that is deleted come to the first one. Move friends by Rename or move.",
    "删除分组后，其中的好友移至第一个分组。移动好友请用“修改备注或分组”。",
  ],
  closeAll: ["Close all news", "关闭所有提示"],
  groupName: ["{who} has changed the name of {name}.", "{who} 修改了 {name} 的名称。"],
  groupMemo: ["{who} has changed the announcement of {name}.", "{who} 修改了 {name} 的公告。"],
  group_edit: ["{who} has changed the settings of {name}.", "{who} 修改了 {name} 的设置。"],
  announcement: ["Announcement", "群公告"],
  noAnnouncement: ["There is none.", "暂无公告。"],
  myCard: ["My name in this group", "我的群名片"],
  card: ["Name in this group (empty: the nick)", "群名片（留空则显示昵称）"],
  changeCard: ["Change the name in this group", "修改群名片"],
  manageMembers: ["Manage members", "管理成员"],
  member: ["Member", "成员"],
  action: ["What to do", "操作"],
  continue: ["Continue", "继续"],
  mute10: ["Mute for 10 minutes", "禁言 10 分钟"],
  mute60: ["Mute for an hour", "禁言 1 小时"],
  muteDay: ["Mute for a day", "禁言 1 天"],
  muteMonth: ["Mute for 30 days", "禁言 30 天"],
  unmute: ["Mute no longer", "解除禁言"],
  muteAll: ["Mute all", "全员禁言"],
  unmuteAll: ["Mute all no longer", "解除全员禁言"],
  muteAllQuestion: [
    "Only the owner and administrators can write then. Mute all others?",
    "开启后只有群主和管理员可以发言。要全员禁言吗？",
  ],
  unmuteAllQuestion: ["Let all members write again?", "允许所有成员发言？"],
  muted: ["muted", "已禁言"],
  allMuted: [
    "All members are muted until an administrator ends it.",
    "管理员已开启全员禁言。",
  ],
  youAreMuted: ["You are muted in this group for another {rest}.", "您已被禁言，剩余 {rest}。"],
  days: ["{count} days", "{count} 天"],
  hours: ["{count} hours", "{count} 小时"],
  minutes: ["{count} min", "{count} 分钟"],
  seconds: ["{count} s", "{count} 秒"],
  makeAdmin: ["Make an administrator", "设为管理员"],
  revokeAdmin: ["No longer an administrator", "取消管理员"],
  transfer: ["Make the owner", "转让群"],
  transferTo: [
    "Make {name} the owner? You stay a member.",
    "将群转让给 {name}？您将成为普通成员。",
  ],
  invite: ["Invite friends", "邀请好友"],
  groupFiles: ["Files", "群文件"],
  noFiles: ["There are none.", "暂无文件。"],
  fileDeleted: ["{name} was deleted.", "{name} 已删除。"],
  messageActions: ["Actions for the message of {name}: {text}", "{name} 的消息的操作：{text}"],
  mention: ["Mention the sender", "@ 对方"],
  mentionsFound: [
    "{count} members. The arrow keys choose one, Enter takes it.",
    "{count} 位成员，用方向键选择，按 Enter 确认。",
  ],
  react: ["React", "表态"],
  recall: ["Recall", "撤回"],
  cancelReply: ["Cancel reply", "取消回复"],
};

/** Characters that are, or may be, written from right to left, and controls for it. */
const OTHER =
  "\\u0590-\\u08ff\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufb1d-\\ufdff\\ufe70-\\ufefc";
const OTHER_DIRECTION = new RegExp(`[${OTHER}]`);

/** A text with one part that is isolated already. */
const HAS_ISOLATED = new RegExp(
  `^[^${OTHER}]*\\u2068[^\\u2066-\\u2069\\n\\r\\u0085\\u2029]*\\u2069[^${OTHER}]*$`,
);

/**
 * Return a value whose directions of writing end with it.
 * @param {string} value
 */
function within(value) {
  const isNeeded = OTHER_DIRECTION.test(value) && !HAS_ISOLATED.test(value);
  return isNeeded ? isolated(value) : value;
}

/**
 * Return a text of the page.
 * @param {string} key
 * @param {Record<string, string | number>} [values] that stand for names in braces
 */
export function word(key, values = {}) {
  const [english, chinese] = WORDS[key] ?? [key, key];
  const text = language === "zh" ? chinese : english;
  return text.replaceAll(/\{(\w+)\}/g, (_, name) =>
    within(String(values[name] ?? "")),
  );
}

/** @param {string} key */
export function hasWord(key) {
  return Object.hasOwn(WORDS, key);
}

/**
 * Return a number of unread messages as it is shown; the server counts to a hundred.
 * @param {number} unread
 */
export function countText(unread) {
  return unread > 99 ? "99+" : String(unread);
}

/** @param {number} bytes */
export function sizeText(bytes) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let size = bytes;
  let unit = 0;
  // What would be rounded to 1024.0 is one of the next unit.
  while (size >= 1023.95 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
