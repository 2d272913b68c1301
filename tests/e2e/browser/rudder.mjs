// The script of the test's pages with @rudderstack/analytics-js in its bundle, plugins and all, which asks Sojourn for its source's settings
// and sends to Sojourn. It notes every call that the client makes.
import { RudderAnalytics } from '@rudderstack/analytics-js/bundled'

const { writeKey, url, options } = window.config
window.analytics = new RudderAnalytics()
window.analytics.load(writeKey, url, { configUrl: url, ...options })
window.noted = (call) => localStorage.setItem('sent ' + call.messageId, call.anonymousId)
