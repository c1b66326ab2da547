import { createI18n, useI18n } from 'vue-i18n'
import { en } from './en.ts'
import { type TextKey, zh } from './zh.ts'

export const LOCALES = ['zh', 'en'] as const
export type Locale = (typeof LOCALES)[number]
/** A name that the district's files give in both languages. */
export type BothNames = { readonly zh: string; readonly en: string }

export const isLocale = (text: unknown): text is Locale => LOCALES.some((l) => l === text)

export const openI18n = (locale: Locale) =>
  createI18n({ legacy: false, locale, fallbackLocale: 'zh', messages: { zh, en }, missingWarn: false, fallbackWarn: false })

export type Say = (key: TextKey, named?: Record<string, string | number>) => string

/** Texts in the person's language. A key that is not in zh.ts does not compile. */
export function useText(): { say: Say; nameOf: (name: BothNames) => string } {
  const { t, locale } = useI18n({ useScope: 'global' })
  return {
    say: (key, named = {}) => t(key, named),
    nameOf: (name) => (locale.value === 'en' ? name.en : name.zh),
  }
}
