// better-auth, plugin two-factor: a mailed code as the second step after the password.
import { fromNodeHeaders } from 'better-auth/node'
import { twoFactor } from 'better-auth/plugins'
import { emailOf } from '../users.mjs'
import { API, authApp } from './better-auth.mjs'

const PASSWORD = 'correct horse'

export async function makeSubject(users) {
  const codes = new Map()
  const sendOTP = async ({ user, otp }) => void codes.set(user.email, otp)
  const { app, auth, clear } = await authApp([twoFactor({ otpOptions: { sendOTP, period: 10 } })])
  for (let i = 0; i < users; i++) {
    const body = { name: `Person ${i}`, email: emailOf(i), password: PASSWORD }
    const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true })
    const cookie = headers
      .getSetCookie()
      .map((one) => one.split(';', 1)[0])
      .join('; ')
    await auth.api.enableTwoFactor({
      body: { password: PASSWORD, method: 'otp' },
      headers: fromNodeHeaders({ cookie }),
    })
  }
  return {
    app,
    codes,
    clear,
    isPool: true,
    steps: {
      login: { path: `${API}/sign-in/email`, body: { email: '{email}', password: PASSWORD } },
      send: { path: `${API}/two-factor/send-otp`, body: {} },
      wrong: { path: `${API}/two-factor/verify-otp`, body: { code: '{wrong}' }, status: 401 },
      right: { path: `${API}/two-factor/verify-otp`, body: { code: '{code}' } },
      guard: { path: '/guarded' },
    },
  }
}
