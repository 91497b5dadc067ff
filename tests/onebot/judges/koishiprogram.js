// A bot of Koishi, as a program. It connects to URL, or is connected to at PORT. It
// writes its events, and answers messages.
'use strict'

const { Context, h } = require('koishi')
const http = require('@koishijs/plugin-http')
const server = require('@koishijs/plugin-server')
const onebot = require('koishi-plugin-adapter-onebot')

const { URL: url, PORT: port } = process.env

const report = (...words) => process.stdout.write(words.join(' ') + '\n')

const app = new Context()
app.plugin(http.default ?? http)
if (port) app.plugin(server.default ?? server, { host: '127.0.0.1', port: +port })

const way = url ? { protocol: 'ws', endpoint: url } : { protocol: 'ws-reverse' }
app.plugin(onebot.default ?? onebot, { selfId: '10002', token: 'oolong', ...way })

app.on('login-updated', (session) => {
  if (session.bot.isActive) report('online', session.bot.selfId, session.bot.user.name)
})

app.on('message', async (session) => {
  report('message', session.channelId, session.userId, session.content)
  if (session.quote) report('quote', session.quote.content)
  const [word, number] = session.stripped.content.trim().split(' ')
  if (word === 'refer') {
    await session.send(h.quote(session.messageId) + h.at(session.userId) + ' here')
  } else if (word === 'erase') {
    await session.bot.deleteMessage(session.channelId, session.messageId)
  } else if (word === 'mute') {
    await session.bot.muteGuildMember(session.guildId, number, 60000)
  } else if (word === 'past') {
    const { data } = await session.bot.getMessageList(session.channelId)
    await session.send(`past ${data.length > 0}`)
  } else if (word === 'members') {
    const { data } = await session.bot.getGuildMemberList(session.guildId)
    await session.send(`members ${data.map((each) => each.user.id).sort()}`)
  } else {
    await session.send([h.text('you said '), ...session.elements])
  }
})

app.on('message-deleted', (session) => {
  report('deleted', session.channelId, session.userId, session.operatorId)
})

app.on('guild-member', (session) => {
  report('member', session.subtype, session.userId, session.operatorId)
})

app.on('notice', (session) => {
  report('notice', session.subtype, session.channelId, session.userId)
})

app.on('friend-request', async (session) => {
  report('request', session.content)
  await session.bot.handleFriendRequest(session.messageId, true)
})

app.on('friend-added', (session) => report('friend', session.userId))

app.start()
