export * from './guessing.js'
