// The script of the test's pages: a site that has @segment/analytics-next in its bundle, as its documentation says, and notes every call
// that the client makes before the client sends it.
import { AnalyticsBrowser } from '@segment/analytics-next'

const { writeKey, url, options } = window.config
window.analytics = AnalyticsBrowser.load({ writeKey, cdnURL: url }, options)
window.analytics.addSourceMiddleware(({ payload, next }) => {
  localStorage.setItem('sent ' + payload.obj.messageId, payload.obj.anonymousId)
  next(payload)
})
