// better-auth, plugin email-otp: users that exist sign in by a mailed code.
import { emailOTP } from 'better-auth/plugins'
import { emailOf } from '../users.mjs'
import { API, authApp } from './better-auth.mjs'

export async function makeSubject(users) {
  const codes = new Map()
  const sendVerificationOTP = async ({ email, otp }) => void codes.set(email, otp)
  const { app, auth, clear } = await authApp([emailOTP({ sendVerificationOTP, expiresIn: 600 })])
  const { internalAdapter } = await auth.$context
  for (let i = 0; i < users; i++) {
    await internalAdapter.createUser({ name: `Person ${i}`, email: emailOf(i), emailVerified: true })
  }
  return {
    app,
    codes,
    clear,
    isPool: true,
    steps: {
      send: { path: `${API}/email-otp/send-verification-otp`, body: { email: '{email}', type: 'sign-in' } },
      wrong: { path: `${API}/sign-in/email-otp`, body: { email: '{email}', otp: '{wrong}' }, status: 400 },
      right: { path: `${API}/sign-in/email-otp`, body: { email: '{email}', otp: '{code}' } },
      guard: { path: '/guarded' },
    },
  }
}
