// A bot of node-napcat-ts, as a program. It connects to URL, writes its events, and
// answers messages.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// Modules of this kind are not looked for in NODE_PATH.
const found = createRequire(import.meta.url).resolve('node-napcat-ts')
const { NCWebsocket, Structs } = await import(pathToFileURL(found).href)

const report = (...words) => process.stdout.write(words.join(' ') + '\n')

const bot = new NCWebsocket(
  { baseUrl: process.env.URL, accessToken: 'oolong', throwPromise: true },
  false,
)

bot.on('meta_event.lifecycle', (event) => report('lifecycle', event.self_id))

bot.on('message', async (event) => {
  report(event.message_type, event.user_id, event.raw_message)
  const { message_id, group_id, user_id } = event
  switch (event.raw_message) {
    case 'refer':
      await event.quick_action([Structs.text('here')], true)
      break
    case 'erase':
      await bot.delete_msg({ message_id })
      break
    case 'poke':
      await bot.send_poke({ group_id, user_id })
      break
    case 'like':
      await bot.set_msg_emoji_like({ message_id, emoji_id: '66', set: true })
      break
    case 'mute':
      await bot.set_group_whole_ban({ group_id, enable: true })
      break
    default:
      await event.quick_action([Structs.text(`you said ${event.raw_message}`)])
  }
})

bot.on('notice', (event) => {
  report(event.notice_type, event.sub_type, event.user_id, event.target_id)
})

await bot.connect()
