import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["scse_viz/ui/components/viewer/niivue/", "**/.*/", "runs/", "build/"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "consistent-return": "error",
      eqeqeq: "error",
      "max-len": ["error", { code: 140, ignoreTemplateLiterals: true, ignoreStrings: true }],
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 40],
      "max-params": ["error", 6],
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  { files: ["tests/**/*.js", "eslint.config.js"], languageOptions: { globals: globals.node } },
];
