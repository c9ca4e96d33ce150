export { devInbox, type DevInbox, type InboxMail } from './dev-inbox.js'
export { workbench, type WorkbenchOptions } from './workbench.js'
