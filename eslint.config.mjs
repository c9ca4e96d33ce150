import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Comparing digests with === leaks how much of them is right (ASVS 11.2.4). crypto/code.ts has sameDigest(). */
const DIGEST = ['left', 'right']
  .flatMap((side) => [`[${side}.name=/digest$/i]`, `[${side}.property.name=/^(digest|short|long)$/]`])
  .join(', ')
const COMPARES_DIGESTS = `BinaryExpression[operator=/^[!=]==?$/]:matches(${DIGEST})`

export default tseslint.config(
  { ignores: ['dist', 'build', 'coverage', 'node_modules', 'bench/node_modules'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-syntax': ['error', { selector: COMPARES_DIGESTS, message: 'Compare digests with sameDigest().' }],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Use node:crypto: this is guessable.' },
      ],
      // Numbers in a template string are what they look like.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `return void res.send()` says that there is nothing to wait for.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-meaningless-void-operator': 'off', // contradicts the rule above
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  {
    // Each operation is synchronous from end to end, which is what makes it atomic; `async` only turns a throw into a
    // rejection, as the interface wants it.
    files: ['src/stores/memory/memory-store.ts'],
    rules: { '@typescript-eslint/require-await': 'off' },
  },
  {
    files: ['__tests__/**/*.ts'],
    rules: {
      // supertest and mailparser give `any` for what the wire holds; the assertions are the check.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      'no-restricted-syntax': 'off', // tests look at digests, they do not guard anything
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        require: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  {
    files: ['views/assets/*.js', 'example-app/**/*.js'],
    languageOptions: {
      sourceType: 'script',
      globals: {
        document: 'readonly',
        window: 'readonly',
        localStorage: 'readonly',
        setTimeout: 'readonly',
        Date: 'readonly',
      },
    },
  },
  {
    files: ['src/workbench/assets/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['document', 'window', 'location', 'history', 'localStorage', 'CSS', 'DOMParser', 'EventSource', 'FormData']
          .concat(['URLSearchParams'])
          .map((name) => [name, 'readonly']),
      ),
    },
  },
)
