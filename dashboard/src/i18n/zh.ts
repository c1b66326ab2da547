import { zh as account } from '../account/text.ts'
import { zh as alarm } from '../alarm/text.ts'
import { zh as audit } from '../audit/text.ts'
import { zh as command } from '../command/text.ts'
import { zh as gateVolume } from '../gate/text.ts'
import { zh as map } from '../map/text.ts'
import { zh as notification } from '../notification/text.ts'
import { zh as order } from '../order/text.ts'
import { zh as past } from '../past/text.ts'
import { zh as people } from '../people/text.ts'
import { zh as plan } from '../plan/text.ts'
import { zh as preset } from '../preset/text.ts'
import { zh as report } from '../report/text.ts'
import { zh as review } from '../review/text.ts'
import { zh as schematic } from '../schematic/text.ts'
import { zh as shell } from '../shell/text.ts'
import { zh as shift } from '../shift/text.ts'
import { zh as site } from '../site/text.ts'
import { zh as overview } from '../situation/text.ts'
import { zh as tag } from '../tag/text.ts'
import { zh as trend } from '../trend/text.ts'
import { zh as volume } from '../volume/text.ts'
import { zh as wall } from '../wall/text.ts'

export const zh = {
  app: { title: 'Sluice 灌区闸门遥测', skip: '跳到内容' },
  ...shell,
  ...gateVolume,
  ...schematic,
  ...alarm,
  ...map,
  ...notification,
  ...site,
  ...trend,
  ...overview,
  ...shift,
  ...wall,
  ...command,
  ...account,
  ...people,
  ...past,
  ...audit,
  ...order,
  ...tag,
  ...preset,
  ...report,
  ...review,
  ...volume,
  ...plan,
  session: {
    title: '登录',
    login: '用户名',
    password: '密码',
    submit: '登录',
    working: '正在登录…',
    expired: '登录已过期，请重新登录。登录后回到原页面。',
    refused: '用户名或密码不正确。',
    locked: '登录失败次数过多，账号已暂时锁定，请稍后再试或联系管理员。',
    signOut: '退出',
    code: '验证码',
    codeHint: '手机应用上的 6 位数字，或一个恢复码',
    codeRefused: '验证码不正确或已用过。请等下一个验证码。',
    other: '换一个用户',
    unreachable: '连不上服务器，请检查网络后重试。',
  },
  preference: {
    language: '语言',
    theme: '外观',
    system: '跟随系统',
    light: '浅色',
    dark: '深色',
  },
  link: {
    connecting: '正在连接服务器，画面尚无实时数据（自 {since} 起）',
    lost: '与服务器的连接已中断：自 {since} 起数值不是实时的（已 {age}）',
    retrying: '正在自动重连',
    silent: '已连接，但自 {since} 起没有收到任何新数据（已 {age}）',
    broker: '消息服务中断：自 {since} 起各站的数据进不来，数值不是实时的（已 {age}）',
    live: '实时',
    notLive: '非实时',
  },
  clock: { label: '服务器时间（北京时间）' },
  condition: {
    fault: '设备故障',
    offline: '离线',
    bad: '坏值',
    stale: '过期',
    no_data: '无数据',
    normal: '正常',
  },
  quality: { good: '正常', stale: '过期', bad: '坏值', missing: '无数据' },
  qualityDetail: {
    staleAge: '超过 {limit} 未刷新',
    staleOffline: '站点离线，为最后的值',
    staleSource: '来源标记为过期',
    missing: '尚未收到',
  },
  reason: {
    timeout: '通信超时',
    not_connected: '未连接',
    exception_illegal_function: '功能码不支持',
    exception_illegal_address: '地址不存在',
    exception_illegal_value: '请求值非法',
    exception_device_failure: '装置自报故障',
    exception_busy: '装置忙',
    exception_gateway: '网关无响应',
    exception_other: '装置异常应答',
    bad_reply: '应答错误',
    out_of_range: '超出量程',
    not_a_number: '不是数值',
    sensor_fault: '传感器故障',
    no_value: '无数值',
    foreign_bad: '来源标记为坏',
  },
  age: {
    seconds: '{n} 秒',
    minutes: '{n} 分',
    hours: '{h} 时 {m} 分',
    days: '{d} 天 {h} 时',
    ahead: '超前 {n} 秒',
    none: '—',
  },
  value: {
    doorOpen: '打开',
    doorClosed: '关闭',
    moving: '动作中',
    still: '静止',
    modeLocal: '现地',
    modeRemote: '远程',
    modeAutomatic: '自动',
    faultNone: '无',
    faultBits: '故障位 {bits}',
    missing: '—',
  },
  situation: {
    title: '闸门总览',
    filter: '筛选闸门',
    filterHint: '名称、编号、渠道（按 / 键）',
    clear: '清除',
    all: '全部',
    byCondition: '按状态筛选',
    sort: '排序',
    sortPlace: '按位置分区',
    sortTrouble: '异常优先',
    sortFlow: '流量占比',
    sortAge: '数据时效',
    shown: '{shown} / {total} 座',
    nothing: '没有符合条件的闸门。',
    empty: '登记库中没有闸门。请先导入灌区数据。',
    loading: '正在读取闸门…',
    failed: '读不到闸门清单：{detail}',
    retry: '重试',
    gates: '{n} 座',
    expand: '展开 {name}',
    collapse: '收起 {name}',
    leaves: '{n} 孔',
    short: { up: '上', down: '下', flow: '流量' },
    overDesign: '超设计',
    columns: {
      condition: '状态',
      name: '闸门',
      type: '类型',
      up: '闸上水位',
      down: '闸下水位',
      openings: '闸门开度',
      flow: '过闸流量',
      share: '占设计',
      age: '时效',
    },
  },
  attention: {
    title: '需要关注',
    none: '各闸的装置、数据和通信正常。',
    more: '另有 {n} 座，请按状态筛选查看。',
    fault: '装置报告故障（{bits}）',
    offlineSince: '最后数据 {age}前',
    offlineNever: '从未收到数据',
    bad: '{metric}：{reason}',
    stale: '{metric}已 {age}未更新',
    others: '等 {n} 项',
    noData: '尚未收到数据',
  },
  gate: {
    back: '返回总览',
    notFound: '没有编号为 {id} 的闸门。',
    canal: '渠道',
    area: '灌域',
    site: '站点',
    chainage: '桩号',
    designFlow: '设计流量',
    leaves: '闸孔',
    leavesOf: '{n} 孔 × {width} m',
    section: '断面示意',
    sectionLabel: '{name} 断面示意图：闸上水位 {up}，闸下水位 {down}，闸门开度 {openings}',
    elevation: '高程',
    design: '设计',
    sill: '闸底 {value} m',
    readings: '实测值',
    estimates:
      '闸底高程、设计水位、闸孔尺寸、设计流量、桩号等几何数据均为估计值，仅供示意；水位为基准面以上的高度，高程按估计的基准面换算。',
    columns: {
      metric: '测项',
      value: '数值',
      quality: '质量',
      time: '采集时间',
      age: '时效',
    },
  },
  deadLetter: {
    title: '未识别数据',
    intro: '收到但未能写入历史的数据。先处理原因（例如登记闸门），再点“重新入库”：该装置留存的数据都会补入历史，重复执行也不会重复。',
    empty: '没有未识别的数据：收到的内容全部已理解。',
    loading: '正在读取…',
    failed: '读不到清单：{detail}',
    forbidden: '您的角色不能查看此页，请联系管理员。',
    retry: '刷新',
    total: '共 {n} 条',
    previous: '上一页',
    next: '下一页',
    page: '第 {page} / {pages} 页',
    columns: {
      last: '最近一次',
      first: '第一次',
      count: '次数',
      source: '来源（灌域 / 站点 / 装置）',
      metric: '测项',
      reason: '原因',
      replay: '重新入库',
      payload: '内容',
    },
    replay: '重新入库',
    replayOf: '把 {source} 的全部未入库数据重新入库',
    asked: '等待重新入库（{by}）',
    done: '已入库 {n} 个数据',
    partly: '已入库 {n} 个数据；其余：{note}',
    refused: '仍未入库：{note}',
    replayFailed: '没有提交成功：{detail}',
    show: '查看',
    hide: '收起',
    payload: '最近一次的原始内容（base64）',
    wholeNode: '（站点本身）',
    noMetric: '（整条消息）',
  },
  notFound: { title: '没有这个页面', back: '返回总览' },
}

type Widen<T> = { readonly [K in keyof T]: T[K] extends string ? string : Widen<T[K]> }
/** What every language must say. A missing or a surplus key does not compile. */
export type Messages = Widen<typeof zh>

type Keys<T, Prefix extends string = ''> = {
  [K in keyof T & string]: T[K] extends string ? `${Prefix}${K}` : Keys<T[K], `${Prefix}${K}.`>
}[keyof T & string]
export type TextKey = Keys<typeof zh>
