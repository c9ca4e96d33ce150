export { doctor, type DoctorOutput } from './doctor.js'
