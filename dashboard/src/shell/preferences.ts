import { defineStore } from 'pinia'
import { computed, ref, watchEffect } from 'vue'
import { useI18n } from 'vue-i18n'
import { isLocale, type Locale } from '../i18n/i18n.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const LOCALE_KEY = 'sluice.locale'
const THEME_KEY = 'sluice.theme'

/** Chinese unless the person has chosen otherwise. */
export function storedLocale(storage: Pick<Storage, 'getItem'>): Locale {
  const stored = storage.getItem(LOCALE_KEY)
  return isLocale(stored) ? stored : 'zh'
}
export function storedTheme(storage: Pick<Storage, 'getItem'>): Theme {
  const stored = storage.getItem(THEME_KEY)
  return THEMES.find((t) => t === stored) ?? 'system'
}

/** Language and appearance, kept in the browser. */
export const usePreferences = defineStore('preferences', () => {
  const { locale } = useI18n({ useScope: 'global' })
  const theme = ref(storedTheme(localStorage))
  const wantsDark = matchMedia('(prefers-color-scheme: dark)')
  const systemDark = ref(wantsDark.matches)
  wantsDark.addEventListener('change', (event) => {
    systemDark.value = event.matches
  })
  const shown = computed(() => (theme.value === 'system' ? (systemDark.value ? 'dark' : 'light') : theme.value))

  watchEffect(() => {
    document.documentElement.dataset['theme'] = shown.value
    localStorage.setItem(THEME_KEY, theme.value)
  })
  watchEffect(() => {
    document.documentElement.lang = locale.value === 'en' ? 'en' : 'zh-CN'
    if (isLocale(locale.value)) localStorage.setItem(LOCALE_KEY, locale.value)
  })
  return { theme, shown, locale }
})
