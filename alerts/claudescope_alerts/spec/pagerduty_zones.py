"""The time zones that PagerDuty knows, and what to write for the others.

PagerDuty has its own list of names: `Etc/UTC`, but not `UTC`. Of the other IANA zones, most have the same clock as one
of the list: the same offsets and the same changes, from 2025 to 2038.

Source: `ValidTZ` of PagerDuty's Terraform provider 3.32.4, and the IANA time zone database 2025.
"""

from __future__ import annotations

from typing import Final

__all__ = ["pagerduty_zone"]

_KNOWN: Final = """
    Africa/Algiers Africa/Cairo Africa/Casablanca Africa/Harare Africa/Johannesburg Africa/Monrovia Africa/Nairobi
    America/Argentina/Buenos_Aires America/Bogota America/Caracas America/Chicago America/Chihuahua America/Denver
    America/Godthab America/Guatemala America/Guyana America/Halifax America/Indiana/Indianapolis America/Juneau
    America/La_Paz America/Lima America/Los_Angeles America/Mazatlan America/Mexico_City America/Monterrey
    America/Montevideo America/New_York America/Phoenix America/Puerto_Rico America/Regina America/Santiago
    America/Sao_Paulo America/St_Johns America/Tijuana Asia/Almaty Asia/Baghdad Asia/Baku Asia/Bangkok
    Asia/Chongqing Asia/Colombo Asia/Dhaka Asia/Hong_Kong Asia/Irkutsk Asia/Jakarta Asia/Jerusalem Asia/Kabul
    Asia/Kamchatka Asia/Karachi Asia/Kathmandu Asia/Kolkata Asia/Krasnoyarsk Asia/Kuala_Lumpur Asia/Kuwait
    Asia/Magadan Asia/Muscat Asia/Novosibirsk Asia/Rangoon Asia/Riyadh Asia/Seoul Asia/Shanghai Asia/Singapore
    Asia/Srednekolymsk Asia/Taipei Asia/Tashkent Asia/Tbilisi Asia/Tehran Asia/Tokyo Asia/Ulaanbaatar Asia/Urumqi
    Asia/Vladivostok Asia/Yakutsk Asia/Yekaterinburg Asia/Yerevan Atlantic/Azores Atlantic/Cape_Verde
    Atlantic/South_Georgia Australia/Adelaide Australia/Brisbane Australia/Darwin Australia/Hobart
    Australia/Melbourne Australia/Perth Australia/Sydney Etc/GMT+12 Etc/UTC Europe/Amsterdam Europe/Athens
    Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Bucharest Europe/Budapest
    Europe/Copenhagen Europe/Dublin Europe/Helsinki Europe/Istanbul Europe/Kaliningrad Europe/Kiev Europe/Lisbon
    Europe/Ljubljana Europe/London Europe/Madrid Europe/Minsk Europe/Moscow Europe/Paris Europe/Prague Europe/Riga
    Europe/Rome Europe/Samara Europe/Sarajevo Europe/Skopje Europe/Sofia Europe/Stockholm Europe/Tallinn
    Europe/Vienna Europe/Vilnius Europe/Volgograd Europe/Warsaw Europe/Zagreb Europe/Zurich Pacific/Apia
    Pacific/Auckland Pacific/Chatham Pacific/Fakaofo Pacific/Fiji Pacific/Guadalcanal Pacific/Guam Pacific/Honolulu
    Pacific/Majuro Pacific/Midway Pacific/Noumea Pacific/Pago_Pago Pacific/Port_Moresby Pacific/Tongatapu
"""
"""The names of PagerDuty's list."""

_SAME_CLOCK: Final = {
    "Africa/Algiers": """
        Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville
        Africa/Luanda Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo Africa/Tunis Etc/GMT-1
    """,
    "Africa/Cairo": "Egypt",
    "Africa/Casablanca": "Africa/El_Aaiun",
    "Africa/Harare": """
        Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Juba Africa/Khartoum Africa/Kigali
        Africa/Lubumbashi Africa/Lusaka Africa/Maputo Africa/Maseru Africa/Mbabane Africa/Tripoli
        Africa/Windhoek Etc/GMT-2 Libya
    """,
    "Africa/Monrovia": """
        Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar
        Africa/Freetown Africa/Lome Africa/Nouakchott Africa/Ouagadougou Africa/Sao_Tome Africa/Timbuktu
    """,
    "Africa/Nairobi": """
        Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala
        Africa/Mogadishu Antarctica/Syowa Etc/GMT-3 Indian/Antananarivo Indian/Comoro Indian/Mayotte
    """,
    "America/Argentina/Buenos_Aires": """
        America/Araguaina America/Argentina/Catamarca America/Argentina/ComodRivadavia
        America/Argentina/Cordoba America/Argentina/Jujuy America/Argentina/La_Rioja
        America/Argentina/Mendoza America/Argentina/Rio_Gallegos America/Argentina/Salta
        America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman
        America/Argentina/Ushuaia America/Asuncion America/Bahia America/Belem America/Buenos_Aires
        America/Catamarca America/Cayenne America/Cordoba America/Coyhaique America/Fortaleza America/Jujuy
        America/Maceio America/Mendoza America/Paramaribo America/Punta_Arenas America/Recife
        America/Rosario America/Santarem Antarctica/Palmer Antarctica/Rothera Atlantic/Stanley Etc/GMT+3
    """,
    "America/Bogota": """
        America/Atikokan America/Cancun America/Cayman America/Coral_Harbour America/Eirunepe
        America/Guayaquil America/Jamaica America/Panama America/Porto_Acre America/Rio_Branco Brazil/Acre
        EST Etc/GMT+5 Jamaica
    """,
    "America/Caracas": """
        America/Anguilla America/Antigua America/Aruba America/Barbados America/Blanc-Sablon
        America/Boa_Vista America/Campo_Grande America/Cuiaba America/Curacao America/Dominica
        America/Grenada America/Guadeloupe America/Manaus America/Martinique America/Montserrat
        America/Port_of_Spain America/Porto_Velho America/Santo_Domingo America/St_Kitts America/St_Lucia
        America/St_Thomas America/St_Vincent America/Tortola Brazil/West Etc/GMT+4
    """,
    "America/Chicago": """
        America/Indiana/Knox America/Indiana/Tell_City America/Knox_IN America/Matamoros America/Menominee
        America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem
        America/Ojinaga America/Rainy_River America/Rankin_Inlet America/Resolute America/Winnipeg CST6CDT
        Canada/Central US/Central US/Indiana-Starke
    """,
    "America/Chihuahua": """
        America/Bahia_Banderas America/Belize America/Costa_Rica America/El_Salvador America/Managua
        America/Merida America/Swift_Current America/Tegucigalpa Etc/GMT+6 Pacific/Galapagos
    """,
    "America/Denver": """
        America/Boise America/Cambridge_Bay America/Ciudad_Juarez America/Edmonton America/Inuvik
        America/Shiprock America/Yellowknife Canada/Mountain MST7MDT Navajo US/Mountain
    """,
    "America/Godthab": "America/Nuuk America/Scoresbysund",
    "America/Halifax": """
        America/Glace_Bay America/Goose_Bay America/Moncton America/Thule Atlantic/Bermuda Canada/Atlantic
    """,
    "America/Indiana/Indianapolis": "America/Fort_Wayne America/Indianapolis US/East-Indiana",
    "America/Juneau": "America/Anchorage America/Metlakatla America/Nome America/Sitka America/Yakutat US/Alaska",
    "America/Los_Angeles": "America/Vancouver Canada/Pacific PST8PDT US/Pacific",
    "America/Mazatlan": """
        America/Creston America/Dawson America/Dawson_Creek America/Fort_Nelson America/Hermosillo
        America/Whitehorse Canada/Yukon Etc/GMT+7 MST Mexico/BajaSur
    """,
    "America/Mexico_City": "Mexico/General",
    "America/New_York": """
        America/Detroit America/Grand_Turk America/Indiana/Marengo America/Indiana/Petersburg
        America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac America/Iqaluit
        America/Kentucky/Louisville America/Kentucky/Monticello America/Louisville America/Montreal
        America/Nassau America/Nipigon America/Pangnirtung America/Port-au-Prince America/Thunder_Bay
        America/Toronto Canada/Eastern EST5EDT US/Eastern US/Michigan
    """,
    "America/Phoenix": "US/Arizona",
    "America/Puerto_Rico": """
        America/Kralendijk America/Lower_Princes America/Marigot America/St_Barthelemy America/Virgin
    """,
    "America/Regina": "Canada/Saskatchewan",
    "America/Santiago": "Chile/Continental",
    "America/Sao_Paulo": "Brazil/East",
    "America/St_Johns": "Canada/Newfoundland",
    "America/Tijuana": "America/Ensenada America/Santa_Isabel Mexico/BajaNorte",
    "Asia/Almaty": """
        Antarctica/Mawson Antarctica/Vostok Asia/Aqtau Asia/Aqtobe Asia/Ashgabat Asia/Ashkhabad Asia/Atyrau
        Asia/Dushanbe Asia/Oral Asia/Qostanay Asia/Qyzylorda Asia/Samarkand Etc/GMT-5 Indian/Kerguelen
        Indian/Maldives
    """,
    "Asia/Baghdad": "Asia/Aden Asia/Amman Asia/Bahrain Asia/Damascus Asia/Qatar",
    "Asia/Baku": "Asia/Dubai Etc/GMT-4 Indian/Mahe Indian/Mauritius Indian/Reunion",
    "Asia/Bangkok": """
        Antarctica/Davis Asia/Barnaul Asia/Ho_Chi_Minh Asia/Hovd Asia/Novokuznetsk Asia/Phnom_Penh
        Asia/Pontianak Asia/Saigon Asia/Tomsk Asia/Vientiane Etc/GMT-7 Indian/Christmas
    """,
    "Asia/Chongqing": """
        Antarctica/Casey Asia/Brunei Asia/Chungking Asia/Harbin Asia/Kuching Asia/Macao Asia/Macau
        Asia/Makassar Asia/Manila Asia/Ujung_Pandang Etc/GMT-8 PRC
    """,
    "Asia/Dhaka": "Asia/Bishkek Asia/Dacca Asia/Omsk Asia/Thimbu Asia/Thimphu Etc/GMT-6 Indian/Chagos",
    "Asia/Hong_Kong": "Hongkong",
    "Asia/Jerusalem": "Asia/Tel_Aviv Israel",
    "Asia/Kamchatka": "Asia/Anadyr Etc/GMT-12 Kwajalein",
    "Asia/Kathmandu": "Asia/Katmandu",
    "Asia/Kolkata": "Asia/Calcutta",
    "Asia/Magadan": "Asia/Sakhalin Etc/GMT-11",
    "Asia/Rangoon": "Asia/Yangon Indian/Cocos",
    "Asia/Seoul": "Asia/Chita Asia/Dili Asia/Jayapura Asia/Khandyga Asia/Pyongyang Etc/GMT-9 Pacific/Palau ROK",
    "Asia/Singapore": "Singapore",
    "Asia/Taipei": "ROC",
    "Asia/Tehran": "Iran",
    "Asia/Tokyo": "Japan",
    "Asia/Ulaanbaatar": "Asia/Choibalsan Asia/Ulan_Bator",
    "Asia/Urumqi": "Asia/Kashgar",
    "Asia/Vladivostok": "Antarctica/DumontDUrville Asia/Ust-Nera Etc/GMT-10",
    "Atlantic/Cape_Verde": "Etc/GMT+1",
    "Atlantic/South_Georgia": "America/Noronha Brazil/DeNoronha Etc/GMT+2",
    "Australia/Adelaide": "Australia/Broken_Hill Australia/South Australia/Yancowinna",
    "Australia/Brisbane": "Australia/Lindeman Australia/Queensland",
    "Australia/Darwin": "Australia/North",
    "Australia/Hobart": "Antarctica/Macquarie Australia/Currie Australia/Tasmania",
    "Australia/Melbourne": "Australia/Victoria",
    "Australia/Perth": "Australia/West",
    "Australia/Sydney": "Australia/ACT Australia/Canberra Australia/NSW",
    "Etc/UTC": """
        America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0
        Etc/Greenwich Etc/UCT Etc/Universal Etc/Zulu GMT GMT+0 GMT-0 GMT0 Greenwich Iceland UCT UTC
        Universal Zulu
    """,
    "Europe/Athens": "Asia/Famagusta Asia/Nicosia EET Europe/Nicosia",
    "Europe/Belgrade": "Europe/Podgorica",
    "Europe/Berlin": """
        Africa/Ceuta Arctic/Longyearbyen Atlantic/Jan_Mayen CET Europe/Andorra Europe/Gibraltar
        Europe/Luxembourg Europe/Malta Europe/Monaco Europe/Oslo Europe/Tirane Europe/Vaduz MET
    """,
    "Europe/Dublin": "Eire",
    "Europe/Helsinki": "Europe/Mariehamn",
    "Europe/Istanbul": "Asia/Istanbul Europe/Kirov Europe/Simferopol Turkey",
    "Europe/Kiev": "Europe/Kyiv Europe/Uzhgorod Europe/Zaporozhye",
    "Europe/Lisbon": "Portugal",
    "Europe/London": """
        Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira Europe/Belfast Europe/Guernsey
        Europe/Isle_of_Man Europe/Jersey GB GB-Eire WET
    """,
    "Europe/Moscow": "W-SU",
    "Europe/Rome": "Europe/San_Marino Europe/Vatican",
    "Europe/Samara": "Europe/Astrakhan Europe/Saratov Europe/Ulyanovsk",
    "Europe/Warsaw": "Poland",
    "Europe/Zurich": "Europe/Busingen",
    "Pacific/Apia": "Etc/GMT-13 Pacific/Enderbury Pacific/Kanton",
    "Pacific/Auckland": "Antarctica/McMurdo Antarctica/South_Pole NZ",
    "Pacific/Chatham": "NZ-CHAT",
    "Pacific/Fiji": "Pacific/Funafuti Pacific/Kwajalein Pacific/Nauru Pacific/Tarawa Pacific/Wake Pacific/Wallis",
    "Pacific/Guadalcanal": "Pacific/Bougainville Pacific/Efate Pacific/Kosrae Pacific/Pohnpei Pacific/Ponape",
    "Pacific/Guam": "Pacific/Chuuk Pacific/Saipan",
    "Pacific/Honolulu": "Etc/GMT+10 HST Pacific/Johnston Pacific/Rarotonga Pacific/Tahiti US/Hawaii",
    "Pacific/Midway": "Etc/GMT+11 Pacific/Niue",
    "Pacific/Pago_Pago": "Pacific/Samoa US/Samoa",
    "Pacific/Port_Moresby": "Pacific/Truk Pacific/Yap",
}
"""Zones with the same clock, by the name that PagerDuty has for it."""

_NAMES: Final = {zone: name for name, zones in _SAME_CLOCK.items() for zone in zones.split()}


def pagerduty_zone(zone: str) -> str | None:
    """PagerDuty's name of an IANA time zone; None if it has none with the same clock."""
    return zone if zone in _KNOWN.split() else _NAMES.get(zone)
