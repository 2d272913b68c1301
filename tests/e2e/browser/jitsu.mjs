// The script of the test's pages with @jitsu/js in its bundle. It notes every call that the client sends.
import { jitsuAnalytics } from '@jitsu/js'

const { jitsuKey, url } = window.config
window.analytics = jitsuAnalytics({
  host: url,
  writeKey: jitsuKey,
  fetch: (to, request) => {
    const call = JSON.parse(request.body)
    localStorage.setItem('sent ' + call.messageId, call.anonymousId)
    return fetch(to, request)
  },
})
